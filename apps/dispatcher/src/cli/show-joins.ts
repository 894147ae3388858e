/** Joins as lines of text, for people. Pure. */
import type { JoinView } from '../joins/view.ts'
import { clean } from './show.ts'

/** One line for each. */
export function joinsText(joins: readonly JoinView[]): string {
  return joins.map((join) => `${lineOf(join)}\n`).join('')
}

function lineOf({ joinID, state, name, key, missing, deadline, defined, taskStatus }: JoinView) {
  const waits = `waits for ${missing.map(clean).join(', ')} until ${deadline}`
  const how = state === 'open' ? waits : (taskStatus ?? '')
  const unknown = defined ? '' : 'not defined any more'
  const parts = [joinID, state.padEnd(9), name, clean(key), how, unknown]
  return parts.filter((part) => part !== '').join('  ')
}

export function joinText(join: JoinView): string {
  const { taskID, taskStatus, settled, slots } = join
  const lines: [string, string | null][] = [
    ['join', join.joinID],
    ['name', join.defined ? join.name : `${join.name} (not defined any more)`],
    ['key', clean(join.key)],
    ['state', join.state],
    ['opened', join.created],
    ['deadline', `${join.deadline}, then ${join.atDeadline}`],
    ['settled', settled],
    ['task', taskID === null ? null : `${taskID} ${taskStatus}`],
    ...slots.map((slot): [string, string] => [clean(slot.slot), slotText(slot)]),
  ]
  const shown = lines.filter(([, value]) => value !== null)
  return shown.map(([name, value]) => `${`${name}:`.padEnd(10)} ${value}\n`).join('')
}

function slotText({ source, eventID, taskID, filled }: JoinView['slots'][number]): string {
  if (filled === null) return 'missing'
  return `${clean(eventID ?? '')} of ${clean(source ?? '')}, ${filled}, task ${taskID}`
}
