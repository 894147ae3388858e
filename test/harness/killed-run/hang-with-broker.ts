import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { startNode } from '../rabbitmq-node.ts'

test('starts a broker, says where it is, and hangs', async () => {
  const { url, folder } = await startNode()
  writeSync(1, `${JSON.stringify({ url, folder, pid: process.pid })}\n`)
  await sleep(200_000)
})
