import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startNode } from './rabbitmq-node.ts'

test('a node is restarted on its port, soft and hard, and answers rabbitmqctl', async () => {
  const node = await startNode()
  const port = Number(new URL(node.url).port)
  try {
    for (const how of ['soft', 'hard'] as const) {
      await node.halt(how)
      expect(await listens(port)).toBe(false)
      await node.resume()
      expect(await listens(port)).toBe(true)
    }
    expect(await node.ctl('list_vhosts', '--silent')).toContain('/')
  } finally {
    await node.stop()
  }
  expect(existsSync(node.folder)).toBe(false)
})

test('a run that is killed leaves no node, no folder and no process behind', async () => {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
  const config = fileURLToPath(new URL('./killed-run/vitest.config.ts', import.meta.url))
  const run = spawn(process.execPath, [vitest, 'run', '--config', config, 'hang-with-broker'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { url, folder, pid } = await firstObject(run.stdout)
  const port = Number(new URL(url).port)
  expect(await listens(port)).toBe(true)
  run.kill('SIGKILL')
  await until(async () => !existsSync(folder) && !(await listens(port)) && !alive(pid))
})

async function firstObject(stream: Readable) {
  let text = ''
  for await (const piece of stream) {
    text += piece
    const line = /\{.*\}\n/.exec(text)
    if (line) return JSON.parse(line[0]) as { url: string; folder: string; pid: number }
  }
  throw new Error(`The run ended early: ${text}`)
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => resolve(false))
  })
}

async function until(condition: () => Promise<boolean>) {
  const deadline = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('Not within 30 s')
    await sleep(50)
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
