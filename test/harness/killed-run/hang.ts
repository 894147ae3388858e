import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { createTestDatabase } from '../test-database.ts'

test('takes a database, says where it is, and hangs', async () => {
  const { url } = await createTestDatabase()
  writeSync(1, `${JSON.stringify({ url, pid: process.pid })}\n`)
  await sleep(200_000)
})
