/** What became of a run, for a reader. Pure. */

import type { Bundle } from '../../testing/read-bundle.ts'
import type { HandlerRun } from '../../testing/run-handler.ts'
import { clean } from '../show-event.ts'

const FILES_SHOWN = 50

/** @param shorten how a path is shown */
export function showRun(run: HandlerRun, shorten: (path: string) => string): string {
  const seconds = (run.durationMs / 1000).toFixed(1)
  const route = run.route === undefined ? '' : ` by route ${run.route}`
  return [
    ...run.bundles.flatMap((bundle) => bundleLines(bundle, shorten)),
    ...(run.outcome === 'done' && run.bundles.length === 0 ? ['nothing was uploaded'] : []),
    `${ENDS[run.outcome]} in ${seconds} s${route}`,
    ...(run.error === undefined ? [] : errorLines(run.error)),
    '',
  ].join('\n')
}

const ENDS: Readonly<Record<HandlerRun['outcome'], string>> = {
  done: 'done',
  failed: 'failed',
  'timed-out': 'timed out',
  'no-route': 'no route',
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
  const own = code === 'DATA_FOLDER' || code === 'CLI_INTERRUPTED' || code === 'RUN_TIMEOUT'
  return [own ? error.message : (error.stack ?? error.message)]
}
