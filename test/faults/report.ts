/** The ledger as a table for people. */
import type { Run } from './run.ts'

export function reportOf(run: Run): string {
  const { options, ledger, struck, posted, services, seconds, versions } = run
  const answered = (status?: number) => posted.filter((one) => one.status === status).length
  const peak = services.map(({ name, peakMiB }) => `${name} ${peakMiB ?? '?'}`).join(', ')
  const rows: [string, string | number][] = [
    ['seed', options.seed],
    ['events posted, once each', posted.length],
    ['  answered 200', answered(200)],
    ['  answered 503', answered(503)],
    ['  answered otherwise', posted.length - answered(200) - answered(503) - answered()],
    ['  met nobody (the api was dead)', answered()],
    ['stored although nobody was told', ledger.unanswered],
    ['deliveries expected (event × subscription)', ledger.expected],
    ...[...ledger.states].sort().map(([state, count]): [string, number] => [`  ${state}`, count]),
    ['tasks', ledger.tasks],
    ['requests at the targets', ledger.requests],
    ['  repeats of what a fault cut off', ledger.repeats],
    ['  of at most (in flight at the faults)', ledger.inFlight],
    [
      '  open at the targets at the faults',
      struck.cuts.reduce((sum, cut) => sum + cut.atTargets, 0),
    ],
    ['  came again to targets that only say 200', ledger.seenTwice],
    ...[...struck.counts].sort().map(([name, count]): [string, number] => [name, count]),
    ['starts of services', services.reduce((sum, { starts }) => sum + starts, 0)],
    [
      'reads by status',
      [...run.reads]
        .sort()
        .map(([status, n]) => `${status}: ${n}`)
        .join(', '),
    ],
    [
      'seconds: posting, settling, all',
      [seconds.posting, seconds.settling, seconds.all].map((n) => n.toFixed(1)).join(', '),
    ],
    ['events/s while posting', Math.round(posted.length / seconds.posting)],
    ['peak memory, MiB', peak],
    ['DELIVERY_TIMEOUT', options.deliveryTimeout],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['wrong', run.wrong.length],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, value]) => `| ${name.padEnd(width)} | ${value} |`)
  return [...lines, ...run.wrong.slice(0, 50).map((what) => `WRONG: ${what}`)].join('\n')
}
