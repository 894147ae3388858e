/** The values of one statement: `bind(value)` keeps it and answers its placeholder. */
export interface Bindings {
  readonly values: readonly unknown[]
  bind(value: unknown, type: string): string
}

export function bindings(): Bindings {
  const values: unknown[] = []
  return {
    values,
    bind: (value, type) => `$${values.push(value)}::${type}`,
  }
}
