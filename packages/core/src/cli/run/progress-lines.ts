/** Where nobody watches: a line for each step, and one for each tenth of it. */
import type { Writable } from 'node:stream'
import { clean } from '../show-event.ts'
import { logText, type ShownProgress } from './progress.ts'

export function progressLines(to: Writable): ShownProgress {
  let last = ''
  const tell = (
    step: string,
    done: number | undefined,
    total: number | undefined,
    unit: string,
  ) => {
    const tenth = done === undefined || !total ? '' : String(Math.floor((10 * done) / total))
    const now = `${step} ${tenth}`
    if (now === last) return
    last = now
    const far = done === undefined ? '' : ` ${done}${total === undefined ? '' : `/${total}`}${unit}`
    to.write(`${clean(step)}${far}\n`)
  }
  return {
    log: (line) => void to.write(`${logText(line)}\n`),
    progress: ({ step, done, total }) => tell(step, done, total, ''),
    transfer: ({ kind, bytes, total }) => tell(kind, bytes, total, ' bytes'),
    close: () => undefined,
  }
}
