import { dirname } from 'node:path'
import type { DevServerDriver, DevServerSite } from '../engine/dev-server.js'
import { HoldfastError } from '../errors.js'

const hidden = '***'

/** What stands for `{{port}}` and its like in the template of a guide. */
export function guideValues(
  driver: DevServerDriver,
  site: DevServerSite,
  showSecrets: boolean,
): Readonly<Record<string, string>> {
  const { engine, name, folder, dataDirectory, logFile, socketDirectory, programs } = site
  const secret = site.password.reveal()
  const shown = (text: string) => (showSecrets ? text : text.replaceAll(secret, hidden))
  const [program = ''] = Object.values(programs.paths)
  return {
    engine,
    name,
    product: programs.product,
    version: programs.version,
    host: site.host,
    port: String(site.port),
    user: site.user,
    password: shown(secret),
    database: site.database,
    url: shown(driver.url(site)),
    folder,
    data: dataDirectory,
    log: logFile,
    sockets: socketDirectory ?? '',
    bin: dirname(program),
    /** The flags that mean this server. */
    select: ` --engine ${engine}${name === 'main' ? '' : ` --name ${name}`}`,
  }
}

/** @throws config.invalid for a placeholder that has no meaning */
export function fillGuide(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{\s*(\w+)\s*\}\}/gu, (whole, key: string) => {
    const value = values[key]
    if (value !== undefined) return value
    throw new HoldfastError('config.invalid', `the guide has ${whole}, which has no meaning`, {
      hint: `use ${Object.keys(values).join(', ')}`,
    })
  })
}

/** For engines whose driver brings none. */
export const plainGuide = `# {{product}} {{version}}: {{engine}} {{name}}

Listens on {{host}}:{{port}}, user \`{{user}}\`, database \`{{database}}\`, data in \`{{folder}}\`.

    {{url}}

    holdfast dev start{{select}}
    holdfast dev stop{{select}}
    holdfast dev logs{{select}} --follow
`
