/** What a run is told: on its command line, or in the environment. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export interface FaultOptions {
  /** How many events are posted at least. */
  readonly events: number
  /** Events posted each second. */
  readonly rate: number
  /** Decides what is struck when. */
  readonly seed: number
  /** SIGKILLs of services, and outages of the database, the broker and policy; each kind comes at least once. */
  readonly kills: number
  readonly outages: number
  /** Workers that stand still for longer than their leases. */
  readonly freezes: number
  readonly workers: number
  readonly dispatchers: number
  /** Of notifications, such as `2s`. */
  readonly deliveryTimeout: string
  /** A folder for the services' logs, kept when the run is over. */
  readonly logs: string | undefined
}

export const USAGE = `npm run faults -- [--events 10000] [--rate 80] [--seed N] [--kills N] [--outages N] [--freezes N]
    [--workers 2] [--dispatchers 2] [--delivery-timeout 2s] [--logs FOLDER]`

export class OptionError extends Error {
  readonly code = 'OPTION'
}

/** A kill for each 250 events, an outage for each 1 000 and a freeze for each 5 000, unless told otherwise. */
export function readOptions(args: readonly string[]): FaultOptions {
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }])),
  })
  const number = (name: string, otherwise: number, least = 1) => {
    const given = values[name]
    const value = given === undefined ? otherwise : Number(given)
    if (!Number.isInteger(value) || value < least)
      throw new OptionError(`--${name} is a whole number, at least ${least}, not ${given}`)
    return value
  }
  const text = (name: string) => (values[name] === undefined ? undefined : String(values[name]))
  const events = number('events', 10_000)
  return {
    events,
    rate: number('rate', 80),
    seed: number('seed', randomInt(1, 1_000_000)),
    kills: number('kills', Math.max(5, Math.round(events / 250))),
    outages: number('outages', Math.max(5, Math.round(events / 1_000))),
    freezes: number('freezes', Math.floor(events / 5_000), 0),
    workers: number('workers', 2),
    dispatchers: number('dispatchers', 2),
    deliveryTimeout: text('delivery-timeout') ?? '2s',
    logs: text('logs'),
  }
}

const NAMES = [
  ...['events', 'rate', 'seed', 'kills', 'outages', 'freezes', 'workers', 'dispatchers'],
  ...['delivery-timeout', 'logs'],
]
