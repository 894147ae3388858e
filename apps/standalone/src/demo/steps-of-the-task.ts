/** The task's way: files from Cartd, the handler, the result to Ingest, and what Metadata makes of that. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokenBundleError, type Bundle, readBundle, sha1 } from './bundle.ts'
import { eventually, getJson, statusOf, UnexpectedAnswerError } from './client.ts'
import {
  endedTaskOf,
  failureOf,
  type Journey,
  readEndedTask,
  readMatched,
  type Step,
} from './journey.ts'

export const stepsOfTheTask: readonly Step[] = [
  { name: 'files taken', run: filesTaken },
  { name: 'handler', run: handler },
  { name: 'ingested', run: ingested },
  { name: 'bundle', run: bundle },
  { name: 'announced', run: announced },
]

async function filesTaken(journey: Journey): Promise<string> {
  const { eventID } = JSON.parse(await readFile(join(journey.sample.folder, 'event.json'), 'utf8'))
  const task = await eventually(
    'the end of the task',
    () => readEndedTask(journey, eventID),
    journey,
  )
  journey.task = task
  const { filesTaken: files, bytesTaken: bytes } = task
  if (files === 0) throw new UnexpectedAnswerError(failureOf(task, 'no file was taken'))
  const { url, carts } = journey.pacifica.cartd
  const cart = carts.at(-1)?.id
  if ((await statusOf('HEAD', `${url}/${cart}`)) !== 404)
    throw new UnexpectedAnswerError(`the cart ${url}/${cart} was not deleted`)
  return `${files} files, ${bytes} bytes, in a cart of ${url} that is deleted`
}

/** What it made has left for Ingest; or, when the task failed before, it is the handler's fault. */
async function handler(journey: Journey): Promise<string> {
  const { pacifica, uploadsBefore } = journey
  const task = endedTaskOf(journey)
  if (pacifica.ingest.uploads === uploadsBefore)
    throw new UnexpectedAnswerError(failureOf(task, 'it handed in no result'))
  return `task ${task.taskID} has handed in its result`
}

async function ingested(journey: Journey): Promise<string> {
  const task = endedTaskOf(journey)
  const [made] = task.bundles
  if (task.taskStatus !== '200 OK' || typeof made?.jobId !== 'number')
    throw new UnexpectedAnswerError(failureOf(task, 'the task names no job of Ingest'))
  const url = `${journey.pacifica.ingest.url}/get_state?job_id=${made.jobId}`
  const job = await getJson<{ state: string; task: string; task_percent: string }>(url)
  const said = `${job.state}, ${job.task}, ${Number(job.task_percent)} %`
  if (said !== 'OK, ingest metadata, 100 %') throw new UnexpectedAnswerError(`${url} says ${said}`)
  return `job ${made.jobId} of ${journey.pacifica.ingest.url}: ${said}; the task: ${task.taskStatus}`
}

async function bundle(journey: Journey): Promise<string> {
  const jobId = endedTaskOf(journey).bundles[0]?.jobId
  const file = journey.pacifica.ingest.jobs.find(({ id }) => id === jobId)?.file
  if (file === undefined) throw new UnexpectedAnswerError(`Ingest has no bundle of job ${jobId}`)
  const read = await readBundle(file)
  await checkUpperCase(journey, read)
  const lines = read.members.map(
    ({ sha1, size, name }) => `    sha1 ${sha1}  ${size} bytes  ${name}`,
  )
  return [file, ...lines].join('\n')
}

/** Each member must be what its input is in upper case, computed here anew from the sample. */
async function checkUpperCase(journey: Journey, { members }: Bundle): Promise<void> {
  if (members.length === 0) throw new BrokenBundleError('the bundle is empty')
  for (const { name, sha1: found } of members) {
    const input = await readFile(join(journey.sample.folder, name), 'utf8')
    if (sha1(Buffer.from(input.toUpperCase())) !== found)
      throw new BrokenBundleError(`${name} is not its input in upper case`)
  }
}

/** The result is a transaction like any other, for which Metadata sends an event: this is where loops begin. */
async function announced(journey: Journey): Promise<string> {
  const { taskID } = endedTaskOf(journey)
  const { url: metadata, announced } = journey.pacifica.metadata
  const transactions = await getJson<Record<string, number[]>>(
    `${metadata}/tkvinfo/values_for_key/pacifica-dispatcher.task`,
  )
  const [transaction] = transactions[taskID] ?? []
  const notes = await getJson<Record<string, string>>(
    `${metadata}/tkvinfo/kv_for_transaction/${transaction}`,
  )
  const sent = announced.find((one) => one.transaction === transaction)
  if (sent?.status !== 200)
    throw new UnexpectedAnswerError(
      `transaction ${transaction}: ${sent === undefined ? 'no event was sent' : sent.answer}`,
    )
  const event = await eventually('matching', () => readMatched(journey, sent.answer), journey)
  return [
    `transaction ${transaction}, event ${sent.answer}, which matches ${event.match_count} subscriptions`,
    ...Object.entries(notes).map(([key, value]) => `    ${key} = ${value}`),
  ].join('\n')
}
