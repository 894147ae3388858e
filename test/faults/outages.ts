/** What is done to the services while events flow: two sequences at once, one of kills and one of outages. */
import type { PolicyBehaviour } from '../pacifica/policy.ts'
import type { Client } from './client.ts'
import { type Cut, cutNow } from './in-flight.ts'
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

  const kills = random.shuffle(stage.services).map((victim) => kill(needs, victim))
  const outages = inOrder(needs)
  await Promise.all([
    sequence(kills, Math.max(options.kills, kills.length)),
    sequence(outages, Math.max(options.outages, outages.length)),
  ])
  return { counts, cuts }
}

/**
 * The first round: the database early, since what it cuts off waits for its lease; the broker softly before hard, since
 * RabbitMQ 3.10 may forget a queue that was declared just before a crash (ADR 5).
 */
function inOrder(needs: Needs): Fault[] {
  const { random } = needs
  const [database, broker] = [
    random.shuffle([databaseAway(needs, 'soft'), databaseAway(needs, 'hard')]),
    [brokerAway(needs, 'soft'), brokerAway(needs, 'hard')],
  ]
  return [...database, policyAway(needs), ...broker]
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
