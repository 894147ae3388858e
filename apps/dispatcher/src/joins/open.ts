/** Puts the parts of joins together: where events go, the loop that watches deadlines, what is shown and counted. */
import { randomUUID } from 'node:crypto'
import type { Join } from '@pacifica/core'
import {
  type Bell,
  createBell,
  type Database,
  insist,
  type Lifetime,
  type Log,
  type Metrics,
  workLoop,
} from '@pacifica/platform'
import type { RunTaskNeeds } from '../tasks/run-task.ts'
import { deadlineStep } from './deadlines.ts'
import { endDue, nextDeadline } from './end.ts'
import { fillSlot } from './fill.ts'
import { readJoinBacklog } from './list.ts'
import { joinMetrics } from './metrics.ts'
import { type PlaceNeeds, place } from './place.ts'
import type { ShownJoins } from './routes.ts'
import { shownJoins } from './shown-joins.ts'

/** How often deadlines are looked at when none is known to come sooner. */
const IDLE_MS = 2_000

export interface Joins {
  readonly place: RunTaskNeeds['place']
  readonly shown: ShownJoins
}

/** Its loop is closed by `life`. */
export function openJoins(
  needs: {
    readonly life: Lifetime
    readonly log: Log
    readonly metrics: Metrics
    readonly database: Database
    /** Rung when a join's task can be claimed, or tasks have ended with a join. */
    readonly tasks: Pick<Bell, 'ring'>
  },
  { joins, dispatcher }: { readonly joins: readonly Join[]; readonly dispatcher: string },
): Joins {
  const { life, log, metrics, database, tasks } = needs
  const onSettled = joinMetrics({ metrics, log, backlog: () => readJoinBacklog(database) })
  const names = joins.map(({ name }) => name)
  const fill: PlaceNeeds['fill'] = async (task, where, signal) => {
    const what = `the event of task ${task.id} in the join ${where.name}`
    const work = () => fillSlot(database, task, where, randomUUID)
    const filled = await insist(work, { what, signal, log })
    if (filled.kind === 'joined' && filled.complete) onSettled('complete')
    return filled
  }
  if (names.length > 0) watchDeadlines({ life, log, database, tasks, onSettled }, names)
  return {
    place: (task, signal) => place({ joins, dispatcher, fill, log }, task, signal),
    shown: shownJoins(database, {
      defined: names,
      onCancelled() {
        onSettled('cancelled')
        tasks.ring()
      },
    }),
  }
}

function watchDeadlines(
  needs: {
    readonly life: Lifetime
    readonly log: Log
    readonly database: Database
    readonly tasks: Pick<Bell, 'ring'>
    readonly onSettled: ReturnType<typeof joinMetrics>
  },
  names: readonly string[],
): void {
  const { life, log, database, tasks, onSettled } = needs
  const bell = createBell()
  const step = deadlineStep({
    endDue: () => endDue(database, names, randomUUID),
    nextDeadline: () => nextDeadline(database, names),
    onEnded({ join, state }) {
      log.info({ join: join.id, name: join.name, key: join.key, state }, 'join.deadline')
      onSettled(state)
      tasks.ring()
    },
    lookAgain: (ms) => setTimeout(() => bell.ring(), ms).unref(),
    withinMs: IDLE_MS,
  })
  const loop = workLoop(step, {
    ...{ name: 'joins', signal: life.stopping, bell, idleMs: IDLE_MS, log },
  })
  life.onClose('joins', () => loop)
}
