import { exampleEvent, runHandler } from '@pacifica/core/testing'
import { expect, test } from 'vitest'
import { needPython, PYTHON_MS } from '../../../test/harness/python.ts'
import dispatcher from './index.ts'

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

/** Hands a transaction with these files and key-values to the dispatcher. */
function handle({ files = FILES, settings = SETTINGS } = {}) {
  return runHandler(dispatcher, {
    event: exampleEvent({ files, keyValues: settings }),
    data: files,
  })
}

test('the models of a transaction are run, and the result says how', {
  timeout: PYTHON_MS,
}, async () => {
  await needPython()
  const { outcome, error, bundles } = await handle()
  expect(outcome, error?.message).toBe('done')
  const { files = [], keyValues, metadata = [] } = bundles[0] ?? {}
  expect(Object.fromEntries(files.map(({ path, text }) => [path, text]))).toEqual({
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
  expect(keyValues).toEqual([{ key: 'Transactions._id', value: 67 }])
  const next = await runHandler(dispatcher, { event: { ...exampleEvent(), data: metadata } })
  expect(next.outcome).toBe('no-route')
})

test('a model that fails says why, and nothing is handed in', { timeout: PYTHON_MS }, async () => {
  await needPython()
  const failing = {
    ...FILES,
    'models/bad.py': 'def bad(*paths):\n    raise ValueError("no year")',
  }
  expect(await handle({ files: failing })).toMatchObject({
    ...{ outcome: 'failed', bundles: [] },
    error: {
      code: 'PROXYMOD_MODEL',
      model: 'models/bad.py',
      message: expect.stringContaining('ValueError: no year'),
    },
  })
  const other = { ...FILES, 'models/bad.py': 'def good(*paths): pass' }
  const { error, bundles } = await handle({ files: other })
  expect(error?.message).toContain('bad.py defines no function bad')
  expect(bundles).toEqual([])
})

test('all mistakes in the key-values are told at once', async () => {
  const settings = {
    ...SETTINGS,
    'proxymod.config_1.PROJECT.speed': '1',
    'proxymod.config_2.OUTPUTS.out_dir': 'a\n[INPUTS]',
    'proxymod.config_3.PROJECT.runtime': '5',
    'proxymod.config_3.NOTES.author': 'me',
  }
  const { error } = await handle({ settings })
  expect(error).toMatchObject({
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
  expect(await handle({ settings })).toMatchObject({ error: { code: 'WORKSPACE_ESCAPE' } })
})

test.each([
  ['asks for another task', { ...SETTINGS, 'proxymod.task': 'rest' }, FILES],
  ['names no table', { ...SETTINGS, 'proxymod.config_1.INPUTS.in_file_one': 'x.csv' }, FILES],
  ['has no model', SETTINGS, { 'inputs/one.csv': '', 'inputs/two.csv': '', 'a/b.py': '' }],
])('a transaction that %s is for others', async (_what, settings, files) => {
  const run = await runHandler(dispatcher, { event: exampleEvent({ files, keyValues: settings }) })
  expect(run.outcome).toBe('no-route')
})
