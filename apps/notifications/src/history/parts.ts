/** What the schemas of this folder are made of. */
import { Type } from '@fastify/type-provider-typebox'

export const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
export const Uuid = Type.String({
  format: 'uuid',
  examples: ['2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11'],
})
export const Time = Type.String({ format: 'date-time', examples: ['2026-11-22T08:15:30.123Z'] })

export function iso(time: Date | null): string | null {
  return time === null ? null : time.toISOString()
}
