/** What became of a run, for a reader. Pure. */

import type { EventPlace } from '../../testing/gather-events.ts'
import type { Bundle } from '../../testing/read-bundle.ts'
import type { HandlerRun } from '../../testing/run-handler.ts'
import type { RunResult } from '../../testing/run-here.ts'
import type { JoinRun } from '../../testing/run-join.ts'
import { clean } from '../show-event.ts'

const FILES_SHOWN = 50

/** @param shorten how a path is shown */
export function showRun(run: HandlerRun, shorten: (path: string) => string): string {
  return lines(run, run.route === undefined ? '' : ` by route ${run.route}`, shorten)
}

/** @param shorten how a path is shown */
export function showJoinRun(run: JoinRun, shorten: (path: string) => string): string {
  const places = run.places.map((place) => `${placeText(place)}\n`).join('')
  const { outcome, error } = run
  if (outcome === 'apart') return `${places}the events do not fill one join, so no handler ran\n`
  if (outcome === 'waits')
    return `${places}no handler ran: ${clean(error?.message ?? '')}\n${NEXT}\n`
  const missing =
    run.missing.length === 0 ? '' : `, at its deadline without ${run.missing.join(', ')}`
  return places + lines(run, ` by the join ${run.join}${missing}`, shorten)
}

const NEXT = 'Give the others by further --event FILE, or see what happens then: --at-deadline'

function placeText({ eventId, join, slot, key, became, reason }: EventPlace): string {
  const event = `event ${clean(eventId)}`
  if (became === 'refused') return `${event} goes into no join: ${clean(reason ?? '')}`
  const place = `slot ${slot} of the join ${join}, key ${JSON.stringify(key)}`
  return `${event} ${BECAME[became]} ${place}`
}

const BECAME: Readonly<Record<Exclude<EventPlace['became'], 'refused'>, string>> = {
  filled: 'fills',
  same: 'is there already, in',
  taken: 'is refused, as another one has',
  replaced: 'has lost to a later one',
  late: 'comes too late for',
  apart: 'is apart from the first, for',
}

function lines(
  run: RunResult & Pick<HandlerRun | JoinRun, 'outcome' | 'error'>,
  by: string,
  shorten: (path: string) => string,
): string {
  const seconds = (run.durationMs / 1000).toFixed(1)
  return [
    ...run.bundles.flatMap((bundle) => bundleLines(bundle, shorten)),
    ...(run.outcome === 'done' && run.bundles.length === 0 ? ['nothing was uploaded'] : []),
    `${ENDS[run.outcome]} in ${seconds} s${by}`,
    ...(run.error === undefined ? [] : errorLines(run.error)),
    '',
  ].join('\n')
}

const ENDS: Readonly<Record<(HandlerRun | JoinRun)['outcome'], string>> = {
  done: 'done',
  failed: 'failed',
  'timed-out': 'timed out',
  'no-route': 'no route',
  waits: 'waits',
  apart: 'apart',
  aborted: 'interrupted',
}

function bundleLines(bundle: Bundle, shorten: (path: string) => string): string[] {
  const { number, tar, size, files, transaction, keyValues } = bundle
  const shown = files.slice(0, FILES_SHOWN)
  const more = files.length - shown.length
  return [
    `bundle ${number}: ${tar === undefined ? '' : `${shorten(tar)}, `}${size} bytes`,
    ...shown.map((file) => `  data/${clean(file.path)}  ${file.size} bytes, ${file.mimetype}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...Object.entries(transaction).map(([name, value]) => `  ${name}: ${clean(String(value))}`),
    ...keyValues.map(({ key, value }) => `  ${clean(`${key} = ${value}`)}`),
  ]
}

function errorLines(error: Error): string[] {
  const { files } = error as { files?: unknown }
  if (Array.isArray(files)) {
    const listed = files.map(({ path, reason }) => `  ${clean(path)}: ${clean(reason)}`)
    return ["the event's files cannot be had:", ...listed]
  }
  const { code } = error as { code?: unknown }
  return [OURS.has(code) ? error.message : (error.stack ?? error.message)]
}

/** Nobody's code went wrong: no stack. */
const OURS = new Set<unknown>([
  ...['DATA_FOLDER', 'CLI_INTERRUPTED', 'RUN_TIMEOUT'],
  ...['JOIN_KEY', 'JOIN_INCOMPLETE'],
])
