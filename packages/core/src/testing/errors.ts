/** What can be wrong with what a run is given, and why it was ended. */
import { durationText } from '../joins/duration.ts'
import type { Join } from '../joins/join.ts'

/** The event cannot be read from its file, or what stands there is no event. */
export class EventFileError extends Error {
  override readonly name = 'EventFileError'
  readonly code = 'EVENT_FILE'
}

/** The handler wants files, and there is no folder that they could lie in. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
  readonly code = 'DATA_FOLDER'
}

/** The run took longer than `timeoutMs`: the signal's reason. */
export class RunTimeoutError extends Error {
  override readonly name = 'RunTimeoutError'
  readonly code = 'RUN_TIMEOUT'

  constructor(timeoutMs: number) {
    super(`the handler was not done after ${timeoutMs} ms`)
  }
}

/** The handler went on although its signal had aborted. The service would have killed its process by then. */
export class SignalIgnoredError extends Error {
  override readonly name = 'SignalIgnoredError'
  readonly code = 'SIGNAL_IGNORED'

  constructor(graceMs: number) {
    super(
      `the handler did not end within ${graceMs} ms after its signal aborted; pass the signal on to whatever it waits for`,
    )
  }
}

/** No handler ran: the events are for a join that waits for others. */
export class JoinWaitsError extends Error {
  override readonly name = 'JoinWaitsError'
  readonly code = 'JOIN_WAITS'
  /** The join's name. */
  readonly join: string
  /** What the events have in common. */
  readonly key: string
  /** The slots that no event fills, in the definition's order. */
  readonly missing: readonly string[]

  constructor(join: Join, key: string, filled: readonly string[]) {
    const missing = join.slots.map(({ name }) => name).filter((name) => !filled.includes(name))
    const then = join.atDeadline === 'run' ? 'runs with what is there' : 'fails'
    super(
      `${named(join.name, key)} has ${filled.join(', ')} and waits for ${missing.join(', ')}: ${durationText(join.deadlineMs)} after its first event it ${then}`,
    )
    this.join = join.name
    this.key = key
    this.missing = missing
  }
}

/** The join is one that fails at its deadline, and the run was one at the deadline. In the service its events end as 422. */
export class JoinIncompleteError extends Error {
  override readonly name = 'JoinIncompleteError'
  readonly code = 'JOIN_INCOMPLETE'
  /** The slots that no event fills, in the definition's order. */
  readonly missing: readonly string[]

  constructor(join: string, key: string, missing: readonly string[]) {
    super(`${named(join, key)}: ${missing.join(', ')} had not come by its deadline`)
    this.missing = missing
  }
}

/** The events do not fill one join: they differ in join or key, or some are for none. The message says where each goes. */
export class EventsApartError extends Error {
  override readonly name = 'EventsApartError'
  readonly code = 'EVENTS_APART'
}

function named(join: string, key: string): string {
  return `the join ${join} with the key ${JSON.stringify(key)}`
}
