/** What is done to the services while events flow: two sequences at once, one of kills and one of outages. */
import type { PolicyBehaviour } from '../pacifica/policy.ts'
import type { Client } from './client.ts'
import { type Cut, cutNow, isTakenOver, query } from './in-flight.ts'
import type { FaultOptions } from './options.ts'
import type { Random } from './random.ts'
import type { Service } from './service.ts'
import type { Stage } from './stage.ts'
import { waitUntil } from './wait-until.ts'

export interface Struck {
  /** How often: `kill worker-1`, `database hard`. */
  readonly counts: ReadonlyMap<string, number>
  readonly cuts: readonly Cut[]
}

interface Fault {
  readonly name: string
  /** Resolves when what was struck is back. */
  strike(): Promise<Cut | undefined>
}

type Needs = { readonly stage: Stage; readonly client: Client; readonly random: Random }

/** While it is away the services must notice: so many events are posted, or questions asked, meanwhile. */
const MEANWHILE = 5

/** Strikes while the client posts, each fault once at first. Resolves when everything has been struck and is back. */
export async function strikeAll(needs: Needs, options: FaultOptions): Promise<Struck> {
  const { stage, random } = needs
  const counts = new Map<string, number>()
  const cuts: Cut[] = []

  /** The first of `faults` once each, in their order; then any of them. */
  async function sequence(faults: readonly Fault[], count: number) {
    for (let number = 0; number < count; number += 1) {
      const due = Math.floor((options.events * number) / count)
      await waitUntil(`${due} events are posted`, () => needs.client.posted.length >= due)
      const fault = faults[number] ?? random.pick(faults)
      const cut = await fault.strike()
      if (cut !== undefined) cuts.push(cut)
      counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
    }
  }

  // Workers first: what they held waits for their leases.
  const workers = stage.services.filter(({ kind }) => kind === 'worker')
  const others = stage.services.filter(({ kind }) => kind !== 'worker')
  const kills = [...random.shuffle(workers), ...random.shuffle(others)].map((victim) =>
    kill(needs, victim),
  )
  const outages = firstRound(needs)
  await Promise.all([
    sequence([...kills, killAll(needs)], Math.max(options.kills, kills.length)),
    sequence([...outages, ...laterRounds(needs)], Math.max(options.outages, outages.length)),
    sequence(
      random.shuffle(workers).map((victim) => freeze(needs, victim)),
      options.freezes,
    ),
  ])
  return { counts, cuts }
}

/**
 * The first round: the database early, since what it cuts off waits for its lease; the broker softly before hard, since
 * RabbitMQ 3.10 may forget a queue that was declared just before a crash (ADR 5).
 */
function firstRound(needs: Needs): Fault[] {
  const { random } = needs
  const [database, broker] = [
    random.shuffle([databaseAway(needs, 'soft'), databaseAway(needs, 'hard')]),
    [brokerAway(needs, 'soft'), brokerAway(needs, 'hard')],
  ]
  return [...database, policyAway(needs), ...broker]
}

/** What only a long run comes to. */
function laterRounds(needs: Needs): Fault[] {
  return needs.random.shuffle([
    sessionsEnded(needs),
    connectionsClosed(needs),
    brokerBlocked(needs),
  ])
}

function kill({ stage }: Needs, victim: Service): Fault {
  const name = `kill ${victim.name}`
  return {
    name,
    async strike() {
      await victim.kill()
      const isWorker = victim.kind === 'worker'
      const cut = isWorker ? await cutNow(name, ...placeOf(stage)) : undefined
      await victim.start()
      return cut
    },
  }
}

/** As when the machine loses its power. */
function killAll({ stage }: Needs): Fault {
  const name = 'kill all services'
  return {
    name,
    async strike() {
      await Promise.all(stage.services.map((each) => each.kill()))
      const isApi = ({ kind }: Service) => kind === 'api'
      // The api at once: a database that is away comes back when events were accepted without it.
      const api = Promise.all(stage.services.filter(isApi).map((each) => each.start()))
      const cut = await cutNow(name, ...placeOf(stage))
      const others = stage.services.filter((each) => !isApi(each))
      await Promise.all([api, ...others.map((each) => each.start())])
      return cut
    },
  }
}

function databaseAway({ stage, client }: Needs, how: 'soft' | 'hard'): Fault {
  const name = `database restart, ${how}`
  return {
    name,
    async strike() {
      await stage.postgres.halt(how)
      await untilPosted(client)
      await stage.postgres.resume()
      return await cutNow(name, ...placeOf(stage))
    },
  }
}

function brokerAway({ stage, client }: Needs, how: 'soft' | 'hard'): Fault {
  return {
    name: `broker restart, ${how}`,
    async strike() {
      await stage.rabbitmq.halt(how)
      await untilPosted(client)
      await stage.rabbitmq.resume()
      return undefined
    },
  }
}

/** The database is there, and every connection to it is gone. */
function sessionsEnded({ stage }: Needs): Fault {
  const name = 'database sessions ended'
  const end = `
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
  return {
    name,
    async strike() {
      await query(stage.databases.notifications, end)
      return await cutNow(name, ...placeOf(stage))
    },
  }
}

function connectionsClosed({ stage }: Needs): Fault {
  return {
    name: 'broker connections closed',
    async strike() {
      await stage.rabbitmq.ctl('close_all_connections', 'a fault of the suite')
      return undefined
    },
  }
}

/** Short of memory the broker takes nothing from those who publish, and says nothing. */
function brokerBlocked({ stage: { rabbitmq }, client }: Needs): Fault {
  return {
    name: 'broker blocked',
    async strike() {
      await rabbitmq.ctl('set_vm_memory_high_watermark', '0.000001')
      await untilPosted(client)
      await rabbitmq.ctl('set_vm_memory_high_watermark', '0.4')
      return undefined
    },
  }
}

/** Until others have taken over what it held: then it wakes up, and its results are too late. */
function freeze({ stage }: Needs, victim: Service): Fault {
  const name = `freeze ${victim.name}`
  return {
    name,
    async strike() {
      const thaw = victim.freeze()
      const cut = await cutNow(name, ...placeOf(stage))
      const { notifications } = stage.databases
      await waitUntil('what it held is taken over', () => isTakenOver(cut, notifications))
      thaw()
      return cut
    },
  }
}

const POLICY_TROUBLES: PolicyBehaviour[] = ['hang up', 'silence', { status: 503, body: 'away' }]

function policyAway({ stage: { policy }, random }: Needs): Fault {
  return {
    name: 'policy away',
    async strike() {
      policyAnswers(policy, random.pick(POLICY_TROUBLES))
      const before = policy.asked.length
      const asked = () => policy.asked.length >= before + MEANWHILE
      await waitUntil('policy is asked in vain', asked)
      policyAnswers(policy)
      return undefined
    },
  }
}

/** As it should: yes to everybody but one. */
export function policyAnswers(policy: Stage['policy'], trouble?: PolicyBehaviour): void {
  policy.behave(trouble ?? 'yes')
  policy.behave(trouble ?? 'no', 'mallory')
}

async function untilPosted(client: Client): Promise<void> {
  const before = client.accepted
  const enough = () => client.accepted >= before + MEANWHILE
  await waitUntil('events are accepted meanwhile', enough)
}

function placeOf(stage: Stage) {
  return [stage.databases.notifications, stage.targets.receiver] as const
}
