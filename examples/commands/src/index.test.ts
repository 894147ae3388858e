import type { Dispatcher } from '@pacifica/core'
import { exampleEvent, runHandler } from '@pacifica/core/testing'
import { expect, test } from 'vitest'
import { needPython, PYTHON_MS } from '../../../test/harness/python.ts'

const module: { default: Dispatcher } = await import(new URL('index.js', import.meta.url).href)

/** Hands a transaction that asks for `program` to the dispatcher. */
function handle(program: string, files: Readonly<Record<string, string>>) {
  const event = exampleEvent({ keyValues: { 'example-command': program }, files })
  return runHandler(module.default, { event, data: files })
}

/** The files of the result, by path. */
async function resultOf(program: string, files: Readonly<Record<string, string>>) {
  const { outcome, error, bundles, log } = await handle(program, files)
  expect(outcome, error?.message).toBe('done')
  const entries = (bundles[0]?.files ?? []).map((file) => [file.path, file.text ?? ''] as const)
  return { log, result: Object.fromEntries(entries) }
}

test('the shell script counts the lines of text files, whatever their names are', async () => {
  const names = { 'a/$(x) b.txt': 'one\ntwo\n', "it's.txt": '', 'ü.csv': '1\n', 'no.bin': '\n' }
  const { log, result } = await resultOf('count-lines', names)
  expect(result['lines.tsv']?.split('\n').sort()).toEqual(
    ['', "0\tit's.txt", '1\tü.csv', '2\ta/$(x) b.txt'].sort(),
  )
  const fields = { line: 'counted 3 files' }
  expect(log).toContainEqual({ level: 'info', message: 'command.stdout', fields })
})

const TABLES = { 'runs/größe.csv': 'größe,n\n1.5,1\n2.5,2\n', 'b.csv': 'x\n1\n1\n2\n', 'c.txt': '' }

test('the Python program writes the means of each table', { timeout: PYTHON_MS }, async () => {
  await needPython()
  const { result } = await resultOf('column-means', TABLES)
  expect(JSON.parse(result['runs/größe.means.json'] ?? '')).toEqual({ größe: 2, n: 1.5 })
  expect(JSON.parse(result['b.means.json'] ?? '')).toEqual({ x: 1.333 })
  expect(result['log/column-means.txt']).toBe(
    'transaction 67: b.csv\ntransaction 67: runs/größe.csv\n',
  )
})

test('what the Python program cannot read fails the task with its own words', {
  timeout: PYTHON_MS,
}, async () => {
  await needPython()
  expect(await handle('column-means', { 'bad.csv': 'x\none\n' })).toMatchObject({
    outcome: 'failed',
    error: {
      code: 'COMMAND_FAILED',
      exitCode: 1,
      stderr: "bad.csv: could not convert string to float: 'one'",
    },
  })
})
