/** Tasks as lines of text, for people. Pure. */
import type { taskDetail, taskItem } from '../tasks/item-view.ts'

type Item = ReturnType<typeof taskItem>
type Detail = ReturnType<typeof taskDetail>

/** One line for each. */
export function listText(tasks: readonly Item[]): string {
  return tasks.map((task) => `${lineOf(task)}\n`).join('')
}

function lineOf(task: Item): string {
  const { taskID, taskStatus, created, kind, eventID, exceptionType } = task
  const what = [...(kind === 'event' ? [] : [kind]), clean(eventID)].join(' ')
  const how = exceptionType === null ? progressText(task.progress) : clean(exceptionType)
  return [taskID, created, taskStatus.padEnd(26), what, how]
    .filter((part) => part !== '')
    .join('  ')
}

/** Everything but the event and the list of files: `--json` has those. */
export function detailText(task: Detail): string {
  const { exceptionType, exceptionValue, nextTry, progress, repeats } = task
  const lines: [string, string | number | null][] = [
    ['task', task.taskID],
    ['status', task.taskStatus],
    ['kind', task.kind],
    ['repeats', repeats],
    ['join', task.join],
    ['event', clean(task.eventID)],
    ['source', clean(task.source)],
    ['created', task.created],
    ['started', task.started],
    ['settled', task.settled],
    ['next try', nextTry],
    ['progress', progressText(progress)],
    ['taken', `${task.filesTaken} files, ${task.bytesTaken} bytes`],
    ['error', exceptionType === null ? null : clean(`${exceptionType}: ${exceptionValue ?? ''}`)],
    ...task.uploads.map((upload): [string, string] => ['upload', uploadText(upload)]),
    ...task.repeatedBy.map((other): [string, string] => [
      other.kind,
      `${other.taskID} ${other.taskStatus}`,
    ]),
  ]
  const shown = lines.filter(([, value]) => value !== null && value !== '')
  const text = shown.map(([name, value]) => `${`${name}:`.padEnd(10)} ${value}\n`).join('')
  return task.comparison === null ? text : text + comparisonText(task.comparison)
}

function uploadText(upload: Detail['uploads'][number]): string {
  const { number, state, bundle, jobId, files, bytes, unsure } = upload
  const where = bundle ?? (jobId === null ? '' : `job ${jobId}`)
  const what = files === null ? '' : `, ${files} files, ${bytes} bytes`
  return `${number} ${state} ${clean(where)}${what}${unsure ? ', unsure' : ''}`
}

function comparisonText({
  comparedWith,
  same,
  uploads,
}: NonNullable<Detail['comparison']>): string {
  if (comparedWith === null) return 'Nothing was uploaded before, so there is nothing to compare.\n'
  const verdict = same === null ? 'cannot be compared' : same ? 'the same' : 'different'
  const lines = [`Compared with task ${comparedWith}: ${verdict}`]
  for (const { number, now, added, removed, changed } of uploads) {
    lines.push(`upload ${number}${now?.bundle ? ` ${clean(now.bundle)}` : ''}`)
    lines.push(...added.map(({ path, size }) => `  + ${clean(path)} ${size}`))
    lines.push(...removed.map(({ path, size }) => `  - ${clean(path)} ${size}`))
    for (const { path, before, now: is } of changed) {
      lines.push(`  * ${clean(path)} ${before.size} → ${is.size}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function progressText(progress: Item['progress']): string {
  if (progress === null) return ''
  const { step, done, total, unit } = progress
  const far = done === undefined ? '' : ` ${done}${total === undefined ? '' : `/${total}`}`
  return clean(`${step}${far}${far === '' || unit === undefined ? '' : ` ${unit}`}`)
}

/** What senders and handlers wrote does not move the cursor of whoever reads it. */
export function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}
