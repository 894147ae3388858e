/** Opens the embedded database in the folder it is given and inserts numbers until it is killed, printing each once it is committed. */
import { openDatabase } from '../../packages/platform/src/database/index.ts'
import { createLog } from '../../packages/platform/src/telemetry/log.ts'

const log = createLog({ name: 'writer', level: 'error' })
const database = await openDatabase({ log }, { folder: process.argv[3] ?? '' })
await database.query('CREATE TABLE IF NOT EXISTS numbers (n int PRIMARY KEY)')
console.log('open')
for (let n = 1; ; n += 1) {
  await database.query('INSERT INTO numbers VALUES ($1)', [n])
  console.log(n)
}
