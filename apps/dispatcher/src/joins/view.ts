/** A join as GET /joins and GET /joins/:id show it. Pure. */
import { STATUS_LINES } from '../tasks/task.ts'
import { missingOf } from './decide.ts'
import type { ListedJoin } from './list.ts'

/** @param defined the names of the joins that the dispatcher has now */
export function joinView(row: ListedJoin, defined: ReadonlySet<string>) {
  const { slots, filled, taskState } = row
  const there = new Map(filled.map((slot) => [slot.slot, slot]))
  const names = [...new Set([...slots, ...there.keys()])]
  return {
    joinID: row.id,
    name: row.name,
    key: row.key,
    state: row.state,
    defined: defined.has(row.name),
    missing: missingOf(slots, [...there.keys()]),
    slots: names.map((slot) => slotView(slot, there.get(slot))),
    atDeadline: row.atDeadline,
    deadline: row.deadline.toISOString(),
    created: row.created.toISOString(),
    settled: row.settled?.toISOString() ?? null,
    taskID: row.task,
    taskStatus: taskState === null ? null : STATUS_LINES[taskState],
  }
}

export type JoinView = ReturnType<typeof joinView>

function slotView(slot: string, filled: ListedJoin['filled'][number] | undefined) {
  if (filled === undefined) {
    return { slot, source: null, eventID: null, taskID: null, filled: null }
  }
  const { source, eventId: eventID, task: taskID, created } = filled
  return { slot, source, eventID, taskID, filled: new Date(created).toISOString() }
}
