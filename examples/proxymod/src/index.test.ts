import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Event, LocalDownloaderRunner, LocalUploaderRunner, mimetypeOf } from '@pacifica/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import dispatcher from './index.ts'

const run = promisify(execFile)

/** Adds up the two tables, and says so. */
const SUM = `
import configparser, csv, pathlib
def sum_of_both(*paths):
    inputs, outputs = (configparser.ConfigParser() for _ in range(2))
    inputs.read(paths[0])
    outputs.read(paths[2])
    folder = pathlib.Path(inputs["INPUTS"]["in_dir"])
    names = inputs["INPUTS"]["in_file_one"], inputs["INPUTS"]["in_file_two"]
    tables = [list(csv.DictReader((folder / name).open())) for name in names]
    rows = [f"{a['year']},{float(a['value']) + float(b['value'])}" for a, b in zip(*tables)]
    (pathlib.Path(outputs["OUTPUTS"]["out_dir"]) / "sum.csv").write_text("\\n".join(rows))
    print(len(rows), "years, runtime", inputs["PROJECT"]["runtime"])
`
const FILES = {
  'inputs/one.csv': 'year,value\n2010,0.5\n2015,0.75\n',
  'inputs/two.csv': 'year,value\n2010,1\n2015,2\n',
  'inputs/other.csv': 'year,value\n',
  'models/sum_of_both.py': SUM,
  'other/not_a_model.py': 'raise Exception("never run")',
}
const SETTINGS = {
  'proxymod.task': 'advance',
  'proxymod.version': 'v0.0.1',
  'proxymod.config_1.PROJECT.runtime': '2',
  'proxymod.config_1.PROJECT.failure': '0',
  'proxymod.config_1.INPUTS.in_dir': 'inputs/',
  'proxymod.config_1.INPUTS.in_file_one': 'one.csv',
  'proxymod.config_1.INPUTS.in_file_two': 'two.csv',
  'proxymod.config_1.OUTPUTS.out_dir': 'outputs/first',
  'proxymod.config_2.OUTPUTS.out_dir': 'outputs/second',
  'proxymod.config_3.OUTPUTS.out_dir': 'outputs/third/',
}

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-proxymod-'))
  await mkdir(join(root, 'task'))
})
afterEach(() => rm(root, { recursive: true }))

function eventOf(files: Readonly<Record<string, string>>, settings: object): Event {
  const entries = Object.entries(files).map(([path, content], index) => ({
    destinationTable: 'Files',
    _id: index + 1,
    name: path.split('/').at(-1),
    subdir: dirname(path),
    size: Buffer.byteLength(content),
    hashtype: 'sha1',
    hashsum: createHash('sha1').update(content).digest('hex'),
    mimetype: mimetypeOf(path),
  }))
  const notes = Object.entries(settings).map(([key, value]) => ({
    destinationTable: 'TransactionKeyValue',
    key,
    value,
  }))
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: 'org.pacifica.metadata.ingest',
      source: '/pacifica/metadata/ingest',
      eventID: 'metadata.ingest.67',
      data: [{ destinationTable: 'Transactions._id', value: 67 }, ...notes, ...entries],
    }),
  )
}

/** The files of the result, by name, and the key-values noted on it. */
async function handle({
  files = FILES,
  settings = SETTINGS,
}: {
  files?: Record<string, string>
  settings?: object
} = {}) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, 'archive/data', path)), { recursive: true })
    await writeFile(join(root, 'archive/data', path), content)
  }
  const event = eventOf(files, settings)
  const quiet = () => undefined
  await dispatcher.router.match(event).handle(event, {
    taskId: 'task-1',
    signal: new AbortController().signal,
    folder: join(root, 'task'),
    downloader: new LocalDownloaderRunner(join(root, 'archive')),
    uploader: new LocalUploaderRunner(join(root, 'bundles'), { name: () => 'result' }),
    log: { info: quiet, warn: quiet, error: quiet },
    progress: quiet,
    provenance: [],
  })
  await run('tar', ['xf', join(root, 'bundles/result.tar'), '-C', root])
  const names = await readdir(join(root, 'data'), { recursive: true, withFileTypes: true })
  const paths = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
  const result = paths.map((path, index) => [path.slice(join(root, 'data/').length), texts[index]])
  const metadata: { destinationTable: string; key?: string; value?: unknown }[] = JSON.parse(
    await readFile(join(root, 'metadata.txt'), 'utf8'),
  )
  const notes = metadata.filter((entry) => entry.destinationTable === 'TransactionKeyValue')
  return { result: Object.fromEntries(result), notes: notes.map(({ key, value }) => [key, value]) }
}

async function hasPython(): Promise<boolean> {
  return await run('python3', ['--version']).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      expect(error.code).toBe('ENOENT')
      return false
    },
  )
}

test('the models of a transaction are run, and the result says how', async () => {
  if (!(await hasPython())) return
  const { result, notes } = await handle()
  expect(result).toEqual({
    'outputs/third/sum.csv': '2010,1.5\n2015,2.75',
    'config_1.ini':
      '[PROJECT]\nruntime = 2\nfailure = 0\n' +
      '[INPUTS]\nin_dir = inputs/\nin_file_one = one.csv\nin_file_two = two.csv\n' +
      '[OUTPUTS]\nout_dir = outputs/first\n',
    'config_2.ini': '[OUTPUTS]\nout_dir = outputs/second\n',
    'config_3.ini': '[OUTPUTS]\nout_dir = outputs/third/\n',
    'stdout.log': '2 years, runtime 2\n',
    'stderr.log': '',
  })
  expect(notes).toEqual([['Transactions._id', 67]])
  expect(dispatcher.router.findRoute(eventOf(result, Object.fromEntries(notes)))).toBe(undefined)
})

test('a model that fails says why, and nothing is handed in', async () => {
  if (!(await hasPython())) return
  const failing = { ...FILES, 'models/bad.py': 'def bad(*paths):\n    raise ValueError("no year")' }
  await expect(handle({ files: failing })).rejects.toMatchObject({
    code: 'PROXYMOD_MODEL',
    model: 'models/bad.py',
    message: expect.stringContaining('ValueError: no year'),
  })
  const other = { ...FILES, 'models/bad.py': 'def good(*paths): pass' }
  await expect(handle({ files: other })).rejects.toThrow('bad.py defines no function bad')
  expect(await readdir(root)).not.toContain('bundles')
})

test('all mistakes in the key-values are told at once', async () => {
  const settings = {
    ...SETTINGS,
    'proxymod.config_1.PROJECT.speed': '1',
    'proxymod.config_2.OUTPUTS.out_dir': 'a\n[INPUTS]',
    'proxymod.config_3.PROJECT.runtime': '5',
    'proxymod.config_3.NOTES.author': 'me',
  }
  await expect(handle({ settings })).rejects.toMatchObject({
    code: 'PROXYMOD_CONFIGURATION',
    mistakes: [
      'config_1.PROJECT.speed is not known',
      'config_2.OUTPUTS.out_dir has a line break',
      'config_3.PROJECT.failure is missing',
      'config_3 has a section NOTES, which is not known',
    ],
  })
})

test('names that leave the folder of the result are refused', async () => {
  const settings = { ...SETTINGS, 'proxymod.config_2.OUTPUTS.out_dir': '../../elsewhere' }
  await expect(handle({ settings })).rejects.toMatchObject({ code: 'WORKSPACE_ESCAPE' })
})

test.each([
  ['asks for another task', { ...SETTINGS, 'proxymod.task': 'rest' }, FILES],
  ['names no table', { ...SETTINGS, 'proxymod.config_1.INPUTS.in_file_one': 'x.csv' }, FILES],
  ['has no model', SETTINGS, { 'inputs/one.csv': '', 'inputs/two.csv': '', 'a/b.py': '' }],
])('a transaction that %s is for others', (_what, settings, files) => {
  expect(dispatcher.router.findRoute(eventOf(files, settings))).toBe(undefined)
})
