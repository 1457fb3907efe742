import { createConnection, type RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import { expect } from 'vitest'
import { needsServer } from './needs.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')

postgresql.it('the PostgreSQL server answers a superuser, and only with the password', async () => {
  const { host, port, user, password, version } = postgresql.server()
  const client = new pg.Client({ host, port, user, password, database: 'postgres' })
  await client.connect()
  try {
    const { rows } = await client.query<{ super: boolean; version: string }>(
      "select rolsuper as super, current_setting('server_version') as version from pg_roles where rolname = current_user",
    )
    expect(rows).toEqual([{ super: true, version }])
  } finally {
    await client.end()
  }
  const wrong = new pg.Client({ host, port, user, password: 'wrong', database: 'postgres' })
  await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' })
})

mariadb.it('the MariaDB server answers an account that may grant, and only with the password', async () => {
  const { host, port, user, password, version } = mariadb.server()
  const connection = await createConnection({ host, port, user, password })
  try {
    const [rows] = await connection.query<RowDataPacket[]>('select version() as version')
    expect(rows).toEqual([{ version }])
    const [grants] = await connection.query<RowDataPacket[]>('show grants')
    expect(JSON.stringify(grants)).toContain('GRANT ALL PRIVILEGES ON *.*')
    expect(JSON.stringify(grants)).toContain('WITH GRANT OPTION')
  } finally {
    await connection.end()
  }
  await expect(createConnection({ host, port, user, password: 'wrong' })).rejects.toMatchObject({
    code: 'ER_ACCESS_DENIED_ERROR',
  })
})
