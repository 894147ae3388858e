/** On a terminal: one bar for each step, and the log above them. */
import type { Writable } from 'node:stream'
import { MultiBar, type SingleBar } from 'cli-progress'
import { clean } from '../show-event.ts'
import { logText, type ShownProgress } from './progress.ts'

const NAME = 16

export function progressBars(to: Writable): ShownProgress {
  const all = new MultiBar({
    stream: to,
    format: '{step} [{bar}] {value}/{total}{unit}',
    barsize: 30,
    hideCursor: true,
    // Ctrl-C is the handler's: it is told by its signal, and the bars stay until it is done.
    gracefulExit: false,
    emptyOnZero: true,
  })
  const bars = new Map<string, SingleBar>()
  const tell = (step: string, done: number, total: number, unit: string) => {
    const name = clean(step).slice(0, NAME).padEnd(NAME)
    const bar = bars.get(name) ?? all.create(total, done, { step: name, unit })
    bars.set(name, bar)
    bar.setTotal(total)
    bar.update(done, { unit })
  }
  return {
    log(line) {
      const text = `${logText(line)}\n`
      if (bars.size === 0) to.write(text)
      else all.log(text)
    },
    progress: ({ step, done, total }) => tell(step, done ?? 0, total ?? 0, ''),
    transfer: ({ kind, bytes, total }) => tell(kind, bytes, total ?? bytes, ' bytes'),
    close() {
      if (bars.size === 0) return
      // What was logged since the last redrawing would be lost otherwise.
      all.update()
      all.stop()
    },
  }
}
