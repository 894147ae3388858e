import { createLog } from '@pacifica/platform'
import { expect, test } from 'vitest'
import type { LogPiece } from './log-store.ts'
import { createTaskLog } from './task-log.ts'

const log = createLog({ name: 'test', level: 'silent' })

function logOf(maxLength: number) {
  const stored: LogPiece[] = []
  const append = async (pieces: readonly LogPiece[]) => void stored.push(...pieces)
  return { stored, sink: createTaskLog({ append, log }, { maxLength }) }
}

test('what a run writes is stored in its order, neighbours of one stream together', async () => {
  const { stored, sink } = logOf(1_000)
  sink.add('out', 'a')
  sink.add('out', 'b\n')
  sink.add('err', 'c\n')
  sink.add('out', 'd\u0000')
  await sink.close()
  expect(stored).toEqual([
    { stream: 'out', text: 'ab\n' },
    { stream: 'err', text: 'c\n' },
    { stream: 'out', text: 'd\ufffd' },
  ])
})

test('of too much the beginning and the end are kept, and what lies between is counted', async () => {
  const { stored, sink } = logOf(100)
  for (let line = 0; line < 100; line += 1) sink.add('out', `line ${String(line).padStart(4)}\n`)
  await sink.close()
  const text = stored.map((piece) => piece.text).join('')
  expect(text).toMatch(/^line {4}0\n/)
  expect(text).toMatch(/line {3}99\n$/)
  expect(text).toContain('… 900 characters left out …')
  expect(text.length).toBeLessThan(150)
})

test('passwords in URLs are blanked', async () => {
  const { stored, sink } = logOf(1_000)
  sink.add('out', 'connecting to amqp://guest:geheim@host/\n')
  await sink.close()
  expect(stored[0]?.text).not.toContain('geheim')
})

test('a log that cannot be stored costs the task nothing', async () => {
  const append = () => Promise.reject(new Error('the database is away'))
  const sink = createTaskLog({ append, log }, { maxLength: 10 })
  sink.add('out', 'lost')
  await sink.close()
})
