import { inject } from 'vitest'

/** An empty PostgreSQL database for one test (file). The first call of a run starts the server: allow it 180 s. */
export async function createTestDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const { name, url } = JSON.parse(await ask('POST', '')) as { name: string; url: string }
  return {
    url,
    async drop() {
      await ask('DELETE', name)
    },
  }
}

async function ask(method: string, name: string): Promise<string> {
  const response = await fetch(`${inject('testDatabases')}${name}`, { method })
  const text = await response.text()
  if (!response.ok) throw new Error(`No test database: ${text}`)
  return text
}
