/** Sets variables of this process for as long as `work` takes; undefined removes one. Two at a time would see each other's. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string | undefined>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  set(Object.entries(variables))
  try {
    return await work()
  } finally {
    set(before)
  }
}

function set(entries: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of entries) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}
