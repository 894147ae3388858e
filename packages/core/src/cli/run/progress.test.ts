import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import type { ShownProgress } from './progress.ts'
import { progressBars } from './progress-bars.ts'
import { progressLines } from './progress-lines.ts'

class Terminal extends Writable {
  readonly isTTY = true
  readonly columns = 80
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk
    done()
  }
}

function play({ log, progress, transfer, close }: ShownProgress): void {
  log({ level: 'info', message: 'begun', fields: {} })
  progress({ step: 'download', total: 2 })
  for (let bytes = 0; bytes <= 1000; bytes += 1) transfer({ kind: 'download', bytes, total: 1000 })
  log({ level: 'warn', message: 'odd\u001b[2J', fields: { size: 5n } })
  progress({ step: 'fit', done: 3, total: 4 })
  progress({ step: 'idle' })
  close()
}

test('where nobody watches there is a line for each step and each tenth of it', () => {
  const to = new Terminal()
  play(progressLines(to))
  const lines = to.text.trimEnd().split('\n')
  expect(lines.slice(0, 4)).toEqual([
    'info  begun',
    'download',
    'download 0/1000 bytes',
    'download 100/1000 bytes',
  ])
  expect(lines.slice(-4)).toEqual([
    'download 1000/1000 bytes',
    'warn  odd [2J {"size":"5"}',
    'fit 3/4',
    'idle',
  ])
  expect(lines).toHaveLength(16)
})

test('on a terminal there is a bar for each step, and no line of the log is lost', () => {
  const to = new Terminal()
  play(progressBars(to))
  expect(to.text).toContain('info  begun\n')
  expect(to.text).toContain('warn  odd [2J {"size":"5"}')
  expect(to.text).toMatch(/download +\[=+\] 1000\/1000 bytes/)
  expect(to.text).toMatch(/fit +\[=+-+\] 3\/4/)
  const cursorShown = '\u001b[?25h'
  expect(to.text.lastIndexOf(cursorShown)).toBeGreaterThan(to.text.lastIndexOf('\u001b[?25l'))
})

test('a run that says nothing of its progress leaves the terminal as it was', () => {
  const to = new Terminal()
  const { log, close } = progressBars(to)
  log({ level: 'info', message: 'only this', fields: {} })
  close()
  expect(to.text).toBe('info  only this\n')
})
