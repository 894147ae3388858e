/**
 * Task events over RabbitMQ: the topic exchange `pacifica.tasks`, and the queue from which notifications takes them.
 * Others may bind queues of their own, by the state:
 *
 * | where | what |
 * |---|---|
 * | routing key | the task's state: `done` |
 * | body | the event: JSON, CloudEvents 1.0 in structured mode |
 * | `content_type` | `application/cloudevents+json` |
 * | `message_id` | the event's id; a repeat has the same |
 */
import type { ConsumeMessage } from 'amqplib'
import type { TaskEventMessage, TaskEvents } from '../task-events.ts'
import type { Consumer } from '../transport.ts'
import { CONTENT_TYPE, type Read, readText } from './message.ts'
import type { Outgoing, Publisher } from './publisher.ts'
import type { Consuming } from './rabbitmq-intake.ts'
import { TOPOLOGY } from './topology.ts'

export function rabbitmqTaskEvents({
  publisher,
  consume,
}: {
  readonly publisher: Publisher
  readonly consume: <M>(consuming: Consuming<M>) => Promise<Consumer>
}): TaskEvents {
  const consuming = { queue: TOPOLOGY.taskEventsSeen, what: 'task_event', read }
  return {
    publish: (message, options) => publisher.send(outgoing(message), options),
    consume: (accept) => consume({ ...consuming, accept }),
    trouble: () => publisher.trouble(),
  }
}

function outgoing({ id, state, body }: TaskEventMessage): Outgoing {
  const { name: exchange } = TOPOLOGY.taskEvents
  return {
    to: { exchange, key: state },
    content: Buffer.from(body, 'utf8'),
    properties: {
      contentType: CONTENT_TYPE,
      persistent: true,
      mandatory: true,
      messageId: id,
    },
    unroutable: `no queue is bound to ${exchange}: has notifications with the role intake been started?`,
  }
}

function read({ content, fields, properties }: ConsumeMessage): Read<TaskEventMessage> {
  const body = readText(content)
  if (body === undefined) return { kind: 'unreadable', reason: 'its body is no UTF-8 text' }
  const id = String(properties.messageId ?? '')
  return { kind: 'read', message: { id, state: fields.routingKey, body } }
}
