/** The subscribers' side: endpoints of every temper, on one server. */
import {
  type Receiver,
  type ReceiverBehaviour,
  type Sent,
  startReceiver,
} from '../pacifica/receiver.ts'

export interface Targets {
  url(path: string): string
  /** Nobody listens there: port 1 is nobody's. */
  readonly refusing: string
  readonly receiver: Receiver
}

/** So that there is always something in flight. */
const SLOW_MS = 500

export async function startTargets(): Promise<Targets> {
  const receiver = await startReceiver()
  receiver.behave('/stumbling', firstTime({ status: 500, body: 'not now' }))
  receiver.behave('/hanging-up', firstTime('hang up'))
  receiver.behave('/slow', { status: 200, body: 'thanks', afterMs: SLOW_MS })
  receiver.behave('/endless', 'endless body')
  receiver.behave('/hanging', 'silence')
  return { url: receiver.url, refusing: 'http://127.0.0.1:1/refusing', receiver }
}

export function webhookOf({ headers }: Sent): string {
  return String(headers['webhook-id'])
}

/** What a delivery meets when it comes for the first time; afterwards it is welcome. */
function firstTime(behaviour: ReceiverBehaviour): ReceiverBehaviour {
  const seen = new Set<string>()
  return (sent) => {
    const id = webhookOf(sent)
    if (seen.has(id)) return { status: 200, body: 'thanks' }
    seen.add(id)
    return behaviour
  }
}
