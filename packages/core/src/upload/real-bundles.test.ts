/** Bundles as pacifica-uploader made them; fixtures/ has them byte for byte. */
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SimulatedIngest, startIngest } from '../../../../test/pacifica/ingest.ts'
import type { BundleMember } from '../../../../test/pacifica/ingest-bundle.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { RemoteUploaderRunner } from './remote-uploader-runner.ts'

let folder = ''
let ingest: SimulatedIngest
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-real-bundle-'))
  ingest = await startIngest()
})
afterEach(async () => {
  await ingest.close()
  await rm(folder, { recursive: true })
})

async function send(name: string) {
  const body = await readFile(new URL(`fixtures/${name}`, import.meta.url))
  await fetch(`${ingest.url}/upload`, { method: 'POST', body })
  const bundle = ingest.jobs.at(-1)?.bundle
  if (bundle === undefined) throw new Error('it did not arrive')
  return bundle
}

test.each(['uploader-bundle.tar', 'uploader-bundle-gnu-py36.tar'])(
  'the simulated Ingest takes %s',
  async (name) => {
    const bundle = await send(name)
    expect(bundle.failure).toBeUndefined()
    expect(bundle.members).toHaveLength(5)
  },
)

test('of the same files we make a bundle that says the same', async () => {
  const theirs = await send('uploader-bundle.tar')
  const { mtime } = theirs.metadata.find(({ name }) => name === 'foo.txt') ?? {}
  for (const { name, content } of theirs.members) {
    const path = join(folder, name.replace(/^data\//, ''))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    await utimes(path, new Date(`${mtime}.9Z`), new Date(`${mtime}.9Z`))
  }
  const valueFor = (table: string) =>
    theirs.metadata.find((entry) => entry['destinationTable'] === table)?.['value'] as string
  await new RemoteUploaderRunner(ingest.url).upload(folder, {
    transaction: new Transaction({
      submitter: valueFor('Transactions.submitter'),
      project: valueFor('Transactions.project'),
      instrument: valueFor('Transactions.instrument'),
    }),
    keyValues: theirs.metadata
      .filter((entry) => entry['destinationTable'] === 'TransactionKeyValue')
      .map((entry) => new TransactionKeyValue(entry)),
  })
  const ours = ingest.jobs.at(-1)?.bundle
  const inOrder = (list: readonly object[] = []) =>
    list.map((one) => JSON.stringify(sorted(one))).sort()
  expect(inOrder(ours?.metadata)).toEqual(inOrder(theirs.metadata))
  const bytes = (list: readonly BundleMember[] = []) =>
    list.map(({ name, sha1 }) => ({ name, sha1 }))
  expect(inOrder(bytes(ours?.members))).toEqual(inOrder(bytes(theirs.members)))
})

function sorted(entry: object): object {
  return Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
}
