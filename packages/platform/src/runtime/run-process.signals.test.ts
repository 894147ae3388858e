/** The same with a real process and real signals: it runs what `npm run build` made. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, expect, test } from 'vitest'

const dist = new URL('../../dist/', import.meta.url)
const running = new Set<ChildProcessWithoutNullStreams>()

beforeAll(() => {
  const built = fileURLToPath(new URL('runtime/run-process.js', dist))
  expect(existsSync(built), `${built} is missing: run npm run build`).toBe(true)
})

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a process whose start is the text `start`, and waits until it has said 'ready'. */
async function run(start: string) {
  const script = `
    import { runProcess } from '${dist}runtime/run-process.js'
    import { createLog } from '${dist}telemetry/log.js'
    const say = (text) => process.stdout.write(text + '\\n')
    const forever = new Promise(() => setInterval(() => {}, 1000))
    const log = createLog({ name: 'test', level: 'info' })
    await runProcess({ log }, async (life) => { ${start} }, { graceMs: 60000 })
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  running.add(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    said.out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    said.err += String(chunk)
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return { code, signal, ...said }
  })
  const says = async (text: string) => {
    while (!said.out.includes(text) && child.exitCode === null) await pause()
  }
  await says('ready')
  return { ended, says, kill: (signal: NodeJS.Signals) => child.kill(signal) }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 10))

test('SIGTERM: closes in reverse order and exits with 0', async () => {
  const { ended, kill } = await run(`
    life.onClose('database', () => say('database closed'))
    life.onClose('http', () => say('http closed'))
    say('ready')`)
  kill('SIGTERM')
  const { code, out, err } = await ended
  expect(code).toBe(0)
  expect(out.indexOf('http closed')).toBeGreaterThan(0)
  expect(out.indexOf('http closed')).toBeLessThan(out.indexOf('database closed'))
  expect(err).toBe('')
})

test('a second SIGINT: gives up what is in hand and exits with 1', async () => {
  const { ended, kill, says } = await run(`
    life.onClose('handler', () => new Promise((end) => {
      say('waiting')
      life.abandoning.addEventListener('abort', end)
    }))
    say('ready')`)
  kill('SIGINT')
  await says('waiting')
  kill('SIGINT')
  expect(await ended).toMatchObject({ code: 1, signal: null })
})

test('an error that nobody caught: logged, closed, exit code 1', async () => {
  const { ended } = await run(`
    life.onClose('database', () => say('database closed'))
    setTimeout(() => { throw new TypeError('a bug') }, 1)
    say('ready')
    await forever`)
  const { code, out, err } = await ended
  expect(code).toBe(1)
  expect(out).toContain('"msg":"process.uncaught"')
  expect(out).toContain('a bug')
  expect(out).toContain('database closed')
  expect(err).toBe('')
})

test('a start that fails for a known reason: one line, no stack, exit code 1', async () => {
  const { ended } = await run(`
    life.onClose('database', () => say('database closed'))
    throw Object.assign(new Error('port 8070 is in use: set NOTIFICATIONS_PORT'), { code: 'PORT_IN_USE' })`)
  const { code, out, err } = await ended
  expect(code).toBe(1)
  expect(err).toBe('port 8070 is in use: set NOTIFICATIONS_PORT\n')
  expect(out).toContain('database closed')
  expect(out).not.toContain('at ')
})
