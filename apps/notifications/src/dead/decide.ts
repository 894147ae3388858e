/** What somebody decides about a dead letter: it goes back to its queue, or it is put away. */
import type { Intake, Log, Sql } from '@pacifica/platform'
import {
  LetterBusyError,
  LetterNotFoundError,
  LetterNotSentError,
  LetterSettledError,
  LetterUnroutableError,
  LetterWithoutOriginError,
  NoBrokerError,
} from './errors.ts'
import { claimLetter, dismissLetter, noteFailure, noteResent, standingOf } from './store.ts'

export interface ResendNeeds {
  readonly sql: Sql
  /** Undefined where there is no broker. */
  readonly intake: Pick<Intake, 'resend'> | undefined
  readonly log: Pick<Log, 'info' | 'warn'>
}

export interface Resent {
  readonly queue: string
}

/** How long the broker may take to confirm it. */
const CONFIRM_MS = 30_000
/** The letter is somebody's for as long as that takes, and for noting how it went. */
const LEASE_MS = 60_000

/**
 * Sends it back to the queue that it died in. Of several who ask at once one sends it. Whoever dies between sending and
 * noting it leaves it dead: it may then be sent twice, which changes nothing, because what it brings is done once.
 * @throws any of the errors of errors.ts
 */
export async function resendLetter(needs: ResendNeeds, uuid: string, by: string): Promise<Resent> {
  const { sql, intake, log } = needs
  if (intake === undefined) throw new NoBrokerError()
  const claimed = await claimLetter(sql, uuid, LEASE_MS)
  if (claimed === undefined) throw await notToBeHad(sql, uuid)
  const { claim, message } = claimed
  const { queue } = message
  if (queue === null) {
    const error = new LetterWithoutOriginError(uuid)
    await noteFailure(sql, uuid, claim, error.message)
    throw error
  }
  const outcome = await intake.resend(queue, message, { letter: uuid, timeoutMs: CONFIRM_MS })
  if (outcome.kind !== 'accepted') {
    await noteFailure(sql, uuid, claim, outcome.reason)
    log.warn({ letter: uuid, queue, by, ...outcome }, 'dead_letter.not_resent')
    if (outcome.kind === 'unroutable') throw new LetterUnroutableError(uuid, outcome.reason)
    throw new LetterNotSentError(uuid, outcome.reason)
  }
  await noteResent(sql, uuid, claim, by)
  log.info({ letter: uuid, queue, by }, 'dead_letter.resent')
  return { queue }
}

/**
 * Puts it away; it is kept until it is purged, and can still be sent. Once more changes nothing.
 * @throws LetterNotFoundError, LetterSettledError, LetterBusyError
 */
export async function putAwayLetter(
  { sql, log }: Omit<ResendNeeds, 'intake'>,
  uuid: string,
  by: string,
): Promise<void> {
  if (await dismissLetter(sql, uuid, by)) {
    log.info({ letter: uuid, by }, 'dead_letter.dismissed')
    return
  }
  const standing = await standingOf(sql, uuid)
  if (standing?.state !== 'dismissed') throw await notToBeHad(sql, uuid)
}

async function notToBeHad(sql: Sql, uuid: string): Promise<Error> {
  const standing = await standingOf(sql, uuid)
  if (standing === undefined) return new LetterNotFoundError(uuid)
  return standing.state === 'resent'
    ? new LetterSettledError(uuid, standing)
    : new LetterBusyError(uuid)
}
