/** What the figures were measured on. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { postgresBinaries } from '../test/harness/postgres-binaries.ts'
import { rabbitmqPrograms } from '../test/harness/rabbitmq-programs.ts'

export interface Machine {
  readonly processor: string
  readonly memory: string
  readonly kernel: string
  readonly node: string
  readonly postgresql: string
  readonly rabbitmq: string
  readonly commit: string
}

export function readMachine(): Machine {
  const all = cpus()
  return {
    processor: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.version,
    postgresql: said(() => [join(postgresBinaries(), 'postgres'), '--version']),
    rabbitmq: said(() => [join(rabbitmqPrograms(), 'rabbitmqctl'), 'version']),
    commit: commit(),
  }
}

export function machineText(machine: Machine): string {
  const { processor, memory, kernel, node, postgresql, rabbitmq } = machine
  return `${processor}, ${memory}; ${kernel}; node ${node}; ${postgresql}; RabbitMQ ${rabbitmq}`
}

function commit(): string {
  const hash = said(() => ['git', 'rev-parse', '--short=10', 'HEAD'])
  return said(() => ['git', 'status', '--porcelain', '--untracked-files=no']) === ''
    ? hash
    : `${hash} and changes`
}

/** The last line that a program says; `unknown` when it cannot be asked. */
function said(command: () => readonly string[]): string {
  try {
    const [program = '', ...args] = command()
    const options = { cwd: import.meta.dirname, stdio: 'pipe', timeout: 60_000 } as const
    return execFileSync(program, args, options).toString().trim().split('\n').at(-1) ?? ''
  } catch {
    return 'unknown'
  }
}
