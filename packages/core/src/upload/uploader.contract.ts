/** What every UploaderRunner does, wherever it hands the result in. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import type { TransferProgress } from '../transfer/deadline.ts'
import type { UploaderRunner } from './uploader-runner.ts'

/** A bundle as it arrived, whole. */
export interface ArrivedBundle {
  readonly members: readonly { readonly name: string; readonly content: Buffer }[]
  readonly metadata: readonly Readonly<Record<string, unknown>>[]
  /** Of the whole tar. */
  readonly bytes: number
}

export interface Destination {
  readonly runner: UploaderRunner
  /** In the order of arrival. */
  arrived(): Promise<readonly ArrivedBundle[]>
  close(): Promise<void>
}

const SUBJECT = {
  transaction: new Transaction({ submitter: 10, project: '1234é', instrument: 54 }),
  keyValues: [new TransactionKeyValue({ key: 'Tag', value: 'Blah' })],
}
const FILES = new Map(
  Object.entries({
    'a/b/foo.txt': Buffer.from('0123456789'),
    'bar.bin': randomBytes(700_001),
    'block.bin': randomBytes(512),
    'empty.txt': Buffer.alloc(0),
    [`${'long/'.repeat(60)}n.txt`]: Buffer.from('long'),
    [`${'x'.repeat(95)}`]: Buffer.from('data/ makes it 100 bytes'),
    [`${'y'.repeat(96)}`]: Buffer.from('data/ makes it 101 bytes'),
    [`${'z'.repeat(200)}.txt`]: Buffer.from('one long name'),
    'line\nbreak': Buffer.from('odd'),
    'パソ/café.csv': Buffer.from('1,é'),
  }),
)

export function uploaderContract(name: string, open: () => Promise<Destination>): void {
  describe(`${name}, as every uploader`, () => {
    let root = ''
    let source = ''
    let destination: Destination

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'pacifica-upload-'))
      source = join(root, 'uploads')
      await mkdir(source)
      destination = await open()
    })
    afterEach(async () => {
      await destination.close()
      await rm(root, { recursive: true })
    })

    async function put(path: string, content: string | Buffer): Promise<string> {
      const target = join(source, path)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, content)
      return target
    }

    test('a bundle has every file byte for byte, and then metadata.txt with their hashes', async () => {
      for (const [path, content] of FILES) await put(path, content)
      await destination.runner.upload(source, SUBJECT)
      const [bundle] = await destination.arrived()
      const contents = bundle?.members.map((member) => [
        member.name,
        member.content.toString('hex'),
      ])
      const sorted = [...FILES].sort(([a], [b]) => (a < b ? -1 : 1))
      const expected = sorted.map(([path, bytes]) => [`data/${path}`, bytes.toString('hex')])
      expect(contents).toEqual(expected)
      const described = bundle?.metadata
        .filter((entry) => entry['destinationTable'] === 'Files')
        .map((entry) => [entry['subdir'], entry['name'], entry['size'], entry['hashsum']])
      expect(described).toEqual(
        sorted.map(([path, bytes]) => [
          dirname(path) === '.' ? '' : dirname(path),
          path.split('/').at(-1),
          bytes.length,
          createHash('sha1').update(bytes).digest('hex'),
        ]),
      )
    })

    test('what a bundle holds is told, with hashes, before its end is sent', async () => {
      await put('b/foo.txt', '0123456789')
      await put('a.txt', '')
      const told: string[] = []
      await destination.runner.upload(source, {
        ...SUBJECT,
        onFiles: (files) => {
          for (const { path, size, sha1 } of files) told.push(`${path} ${size} ${sha1}`)
        },
        beforeLast: () => void told.push('the end'),
      })
      expect(told.slice(0, 2)).toEqual([
        'a.txt 0 da39a3ee5e6b4b0d3255bfef95601890afd80709',
        'b/foo.txt 10 87acec17cd9dcd20a716cc2cf67417b71c8a7016',
      ])
    })

    test('metadata says whose the result is and what is noted on it', async () => {
      await destination.runner.upload(source, SUBJECT)
      const [bundle] = await destination.arrived()
      expect(bundle?.members).toEqual([])
      expect(bundle?.metadata).toEqual([
        { destinationTable: 'Transactions.submitter', value: 10 },
        { destinationTable: 'Transactions.project', value: '1234é' },
        { destinationTable: 'Transactions.instrument', value: 54 },
        { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 'Blah' },
      ])
    })

    test('thousands of files, and a large one among them, are one bundle', async () => {
      const contents = new Map([['3/large.bin', randomBytes(3_000_000)]])
      for (let index = 0; index < 3_000; index += 1) {
        const path = `${index % 7}/${index}.txt`
        contents.set(path, Buffer.from(path))
      }
      for (const [path, content] of contents) await put(path, content)
      await destination.runner.upload(source, SUBJECT)
      const [bundle] = await destination.arrived()
      expect(bundle?.members).toHaveLength(3_001)
      expect(bundle?.metadata).toHaveLength(3_005)
      const other = bundle?.members.find(
        ({ name, content }) => !contents.get(name.slice('data/'.length))?.equals(content),
      )
      expect(other?.name).toBeUndefined()
    })

    test('times are kept in UTC seconds, also before 1970 and after 2038', async () => {
      const times = {
        far: '2100-01-02T03:04:05',
        now: '2018-08-30T15:19:40',
        old: '1960-01-02T03:04:05',
      }
      for (const [path, time] of Object.entries(times)) {
        await utimes(await put(path, path), new Date(`${time}Z`), new Date(`${time}Z`))
      }
      await destination.runner.upload(source, SUBJECT)
      const [bundle] = await destination.arrived()
      const found = bundle?.metadata.slice(4).map((entry) => [entry['name'], entry['mtime']])
      expect(Object.fromEntries(found ?? [])).toEqual(times)
    })

    test('it tells how many bytes are away, up to all of them', async () => {
      for (const [path, content] of FILES) await put(path, content)
      const told: TransferProgress[] = []
      const onProgress = (progress: TransferProgress) => told.push(progress)
      await destination.runner.upload(source, { ...SUBJECT, onProgress })
      const [bundle] = await destination.arrived()
      expect(told.at(-1)).toEqual({ bytes: bundle?.bytes, total: bundle?.bytes })
      expect(told.every(({ bytes }, index) => bytes > (told[index - 1]?.bytes ?? 0))).toBe(true)
    })

    test('a file that is written to meanwhile fails the upload, which hands in nothing', async () => {
      await put('a.bin', randomBytes(3_000_000))
      const last = await put('z.bin', 'before')
      let changed = false
      const onProgress = () => {
        if (!changed) void utimes(last, new Date(), new Date(Date.now() + 5_000))
        changed = true
      }
      const uploading = destination.runner.upload(source, { ...SUBJECT, onProgress })
      await expect(uploading).rejects.toMatchObject({
        code: 'BUNDLE_FILE_CHANGED',
        path: 'z.bin',
        message: expect.stringMatching(
          /^"z\.bin" changed while it was read: written at .*Z, and again/,
        ),
      })
      expect(await destination.arrived()).toEqual([])
    })

    test('what cannot be bundled fails the upload and is named', async () => {
      await put('a.txt', 'a')
      await symlink('nowhere', join(source, 'dangling'))
      const uploading = destination.runner.upload(source, SUBJECT)
      await expect(uploading).rejects.toMatchObject({ code: 'BUNDLE_ENTRY', path: 'dangling' })
      expect(await destination.arrived()).toEqual([])
    })

    test('a transaction with an id is refused: Ingest assigns it', async () => {
      const subject = { ...SUBJECT, transaction: new Transaction({ _id: 1 }) }
      const uploading = destination.runner.upload(source, subject)
      await expect(uploading).rejects.toMatchObject({ code: 'TRANSACTION_DUPLICATE_ATTRIBUTE' })
      expect(await destination.arrived()).toEqual([])
    })

    test('an upload that is called off ends with the reason and hands in nothing', async () => {
      await put('big.bin', randomBytes(20_000_000))
      const cancel = new AbortController()
      const onProgress = () => cancel.abort(new Error('cancelled'))
      const options = { ...SUBJECT, signal: cancel.signal, onProgress }
      await expect(destination.runner.upload(source, options)).rejects.toThrow('cancelled')
      expect(await destination.arrived()).toEqual([])
    })

    test('an upload that stands still for longer than its time is called off', async () => {
      for (let index = 0; index < 1_000; index += 1) await put(String(index), '')
      const uploading = destination.runner.upload(source, { ...SUBJECT, timeout: 1 })
      await expect(uploading).rejects.toMatchObject({ code: 'TRANSFER_TIMEOUT' })
      expect(await destination.arrived()).toEqual([])
    })
  })
}
