import { expect, test } from 'vitest'
import { linesOf, spawnTypeScript } from '../../../../test/harness/index.ts'
import { createLog } from './log.ts'
import { turnWriter } from './turn-writer.ts'

const LOG_AND_END = new URL('../../../../test/harness/log-and-end.ts', import.meta.url)

function recording() {
  const writes: string[] = []
  let exit = () => {}
  const writer = turnWriter({ write: (text) => writes.push(text) }, (flush) => {
    exit = flush
  })
  const log = createLog({ name: 'test', level: 'info', destination: writer })
  const messages = () =>
    writes.map((text) => text.trimEnd().split('\n')).map((lines) => lines.map(messageOf))
  return { log, messages, exit: () => exit() }
}

const messageOf = (line: string) => (JSON.parse(line) as { msg: string }).msg
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('what is logged in one turn is written at its end, with one write, in order', async () => {
  const { log, messages } = recording()
  log.info('one')
  log.child({ part: 'x' }).info('two')
  await Promise.resolve().then(() => log.info('three'))
  await nextTurn()
  log.info('four')
  await nextTurn()
  expect(messages()).toEqual([['one', 'two', 'three'], ['four']])
})

test('a warning is written at once, after what came before it', () => {
  const { log, messages } = recording()
  log.info('one')
  log.warn('two')
  log.error('three')
  expect(messages()).toEqual([['one', 'two'], ['three']])
})

test('much that is logged in one turn does not wait for its end', () => {
  const { log, messages } = recording()
  for (let n = 0; n < 3; n += 1) log.info('x'.repeat(40_000))
  expect(messages().map((lines) => lines.length)).toEqual([2])
})

test('what waits at the exit is written', () => {
  const { log, messages, exit } = recording()
  log.info('last')
  exit()
  expect(messages()).toEqual([['last']])
})

test('a process that ends in the turn of its last line has written it', async () => {
  const lines: string[] = []
  for await (const line of linesOf(spawnTypeScript(LOG_AND_END))) lines.push(messageOf(line))
  expect(lines).toEqual(['last'])
})
