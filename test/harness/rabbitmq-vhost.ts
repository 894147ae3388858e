import { inject } from 'vitest'

/** An empty virtual host for one test (file). The first call of a run starts the broker: allow it 180 s. */
export async function createTestVhost(): Promise<{ url: string; drop(): Promise<void> }> {
  const { name, url } = JSON.parse(await ask('POST', '')) as { name: string; url: string }
  return {
    url,
    async drop() {
      await ask('DELETE', name)
    },
  }
}

async function ask(method: string, name: string): Promise<string> {
  const response = await fetch(`${inject('testVhosts')}${name}`, { method })
  const text = await response.text()
  if (!response.ok) throw new Error(`No virtual host: ${text}`)
  return text
}
