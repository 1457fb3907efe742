/** Measures Holdfast beside the tools a person would use instead. See main.ts. */
import { createJiti } from 'jiti'

const { main } = await createJiti(import.meta.url).import('./main.ts')
await main(process.argv.slice(2))
