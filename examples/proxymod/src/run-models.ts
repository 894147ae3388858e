/** Runs each model of a transaction on its tables. The result: what the models write, what they say, and how they were configured. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Event } from '@pacifica/core'
import { type File, TransactionKeyValue, type Transform, Workspace } from '@pacifica/core'
import {
  type Configuration,
  type Configurations,
  configurationsOf,
  iniText,
  MODELS,
} from './configurations.ts'
import { ConfigurationError } from './errors.ts'
import { runModel } from './run-model.ts'

const isModel = ({ mimetype, path }: File) =>
  mimetype === 'text/x-python' && /^models\/[^/]+$/.test(path)

/** Which files are fetched: the two tables that the first model reads, and every model. */
export function isNeeded(file: File, event: Event): boolean {
  const { config_1 } = configurationsOf(TransactionKeyValue.fromEvent(event))
  return isModel(file) || tablesOf(config_1).includes(file.path)
}

export const runModels: Transform = async (task) => {
  const { input, inputFolder, folder, output, keyValues, signal, log, progress } = task
  const configurations = configurationsOf(keyValues)
  const missing = tablesOf(configurations.config_1).filter(
    (path) => !input.some(({ file }) => file.path === path),
  )
  if (missing.length > 0) {
    throw new ConfigurationError(missing.map((path) => `${path} is not in the transaction`))
  }
  const models = input.filter(({ file }) => isModel(file))
  const paths = await writeConfigurations(configurations, { inputFolder, folder, output })
  for (const [index, { file }] of models.entries()) {
    progress({ step: 'model', done: index, total: models.length })
    await runModel(file.path, { inputFolder, folder, output, configurations: paths, signal })
    log.info('model.done', { model: file.path })
  }
}

function tablesOf({ INPUTS = {} }: Configuration): string[] {
  const folder = withoutSlashes(INPUTS['in_dir'] ?? '')
  const names = [INPUTS['in_file_one'] ?? '', INPUTS['in_file_two'] ?? '']
  return names.map((name) => (folder === '' ? name : `${folder}/${name}`))
}

interface Folders {
  readonly inputFolder: string
  readonly folder: string
  readonly output: Workspace
}

/** The result shows what was asked for; the models are given the same with whole paths. */
async function writeConfigurations(
  configurations: Configurations,
  { inputFolder, folder, output }: Folders,
): Promise<string[]> {
  const input = new Workspace(join(inputFolder, 'data'))
  const own = join(folder, 'configurations')
  await mkdir(own, { recursive: true })
  return await Promise.all(
    MODELS.map(async (id) => {
      const configuration = configurations[id]
      await writeFile(await output.inside(`${id}.ini`), iniText(configuration))
      const path = join(own, `${id}.ini`)
      await writeFile(path, iniText(await withPaths(configuration, input, output)))
      return path
    }),
  )
}

async function withPaths(
  { INPUTS, OUTPUTS, ...rest }: Configuration,
  input: Workspace,
  output: Workspace,
): Promise<Configuration> {
  const inputs = INPUTS && { INPUTS: { ...INPUTS, in_dir: await pathIn(input, INPUTS['in_dir']) } }
  const out = OUTPUTS && {
    OUTPUTS: { ...OUTPUTS, out_dir: await pathIn(output, OUTPUTS['out_dir']) },
  }
  if (out) await mkdir(out.OUTPUTS.out_dir, { recursive: true })
  return { ...rest, ...inputs, ...out }
}

/** Refuses names that leave the folder: they come with the transaction, from anybody. */
async function pathIn(workspace: Workspace, name = ''): Promise<string> {
  const plain = withoutSlashes(name)
  return plain === '' ? workspace.folder : await workspace.inside(plain)
}

/** Folders are written with and without a `/` at their ends. */
function withoutSlashes(name: string): string {
  return name.replace(/^\/+|\/+$/g, '')
}
