/** Reports on joins, for a reader. Pure. */
import type { JoinReport, SlotReport } from '../../joins/explain-joins.ts'
import { clean } from '../show-event.ts'
import { pathLines, whyNot } from './show-routes.ts'

/** The join that gets the event, if one does; its key may be missing. */
export function takenBy(reports: readonly JoinReport[]) {
  const join = reports.find(({ slots }) => slots.some(({ chosen }) => chosen))
  const slot = join?.slots.find(({ chosen }) => chosen)
  return join && slot && { join: join.name, key: slot.key }
}

export function showJoins(reports: readonly JoinReport[]): string {
  const taken = takenBy(reports)?.join
  return reports
    .flatMap(({ name, slots }) => slots.map((slot) => slotLines(name, slot, taken)))
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
}

function slotLines(join: string, slot: SlotReport, taken: string | undefined): string[] {
  const lines = pathLines(`join ${join}, slot ${slot.name}`, slot, verdict(slot, taken))
  const { noKey } = slot
  if (noKey === undefined) return lines
  return [...lines, `  ${clean(noKey.reason)}`, ...whyNot(noKey.explanation, noKey.path)]
}

function verdict({ chosen, key, explanation }: SlotReport, taken: string | undefined): string {
  if (chosen && key !== undefined) return `gets the event, with the key ${JSON.stringify(key)}`
  if (chosen) return 'matches, but finds no key in the event, which is refused'
  if (explanation.matches === null) return 'cannot be tried on this event'
  if (!explanation.matches) return 'does not match'
  return taken === undefined ? 'matches' : 'matches too, but an earlier one gets the event'
}
