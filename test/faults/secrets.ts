/** What must never be in a log: each of these is really used somewhere. */
export const SECRETS = {
  database: 'db-canary-7f3a91',
  broker: 'mq-canary-52be08',
  policy: 'policy-canary-c41d77',
  receive: 'receive-canary-0e9b63',
  admin: 'admin-canary-86d2f4',
  basic: 'basic-canary-19ac5e',
  bearer: 'bearer-canary-b370d8',
} as const

/** As they are, and as HTTP Basic carries them. */
export function secretTexts(more: readonly string[]): string[] {
  const { policy, basic } = SECRETS
  const encoded = [`policy:${policy}`, `bob:${basic}`].map((pair) => btoa(pair))
  return [...Object.values(SECRETS), ...encoded, ...more]
}
