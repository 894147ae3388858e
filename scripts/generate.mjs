/**
 * Makes the Prisma client of each service from its schema. A client whose schema and Prisma version are those of the
 * last time is left alone. Works without a network: `generate` never runs the engine that Prisma wants to download,
 * so any existing program may stand for it.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const SERVICES = ['notifications', 'dispatcher']
const root = fileURLToPath(new URL('..', import.meta.url))
const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js')
const { version } = createRequire(import.meta.url)('prisma/package.json')

async function generate(service) {
  const folder = join(root, 'prisma', service)
  const schema = join(folder, 'schema.prisma')
  if (!existsSync(schema))
    throw new Error(`${schema} is missing: the client of ${service} is made from it`)
  const output = join(root, 'apps', service, 'src', 'database', 'generated')
  const mark = join(output, '.made-from')
  const made = await fingerprint([schema, join(folder, 'prisma.config.ts')])
  if ((await readFile(mark, 'utf8').catch(() => '')) === made) return
  await rm(output, { recursive: true, force: true })
  await runPrisma('generate', '--config', join(folder, 'prisma.config.ts'))
  if (!existsSync(join(output, 'client.ts'))) {
    throw new Error(`${schema} must have its client made in ${output}, ending in .ts`)
  }
  await writeFile(mark, made)
  console.log(`Made the Prisma client of ${service}`)
}

async function fingerprint(files) {
  const hash = createHash('sha256').update(version)
  for (const file of files) hash.update(await readFile(file))
  return hash.digest('hex')
}

async function runPrisma(...words) {
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    NO_COLOR: '1',
  }
  try {
    await promisify(execFile)(process.execPath, [prisma, ...words], { cwd: root, env })
  } catch (error) {
    throw new Error(`prisma ${words.join(' ')}\n${error.stdout}${error.stderr}`.trim())
  }
}

const results = await Promise.allSettled(SERVICES.map(generate))
for (const { reason } of results.filter(({ status }) => status === 'rejected')) {
  console.error(reason.message)
  process.exitCode = 1
}
