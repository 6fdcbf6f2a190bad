/** Creates many groups, for benchmarks of what many groups cost. */
import { Pool } from 'undici'

const BATCH = 500
const JSON_BODY = { 'content-type': 'application/json' }
/** How many clients create groups without batches. Older versions have none. */
const CREATORS = 64

const bodyOf = (index: number) => ({
  // The ids come in no order, as those of real groups.
  groupId: `group-${String((index * 7_919) % 1_000_003).padStart(7, '0')}`,
  description: 'A team of the company',
  labels: { team: 'core', env: 'prod' },
})

/**
 * Creates groups for at most so many seconds.
 *
 * @param groupCount at most 1,000,000
 * @returns how many there are
 */
export async function fillGroups(url: string, groupCount: number, seconds: number): Promise<number> {
  const pool = new Pool(url, { connections: CREATORS })
  const untilMs = performance.now() + seconds * 1_000
  const post = async (path: string, body: unknown) => {
    const reply = await pool.request({ method: 'POST', path, headers: JSON_BODY, body: JSON.stringify(body) })
    await reply.body.dump()
    if (![200, 201, 404].includes(reply.statusCode))
      throw new Error(`${path} was answered ${reply.statusCode}`)
    return reply.statusCode
  }
  const hasBatches = (await post('/v1/groups:batch', { create: [bodyOf(0)] })) === 200
  let next = 1
  const worker = async () => {
    while (next < groupCount && performance.now() < untilMs) {
      const first = next
      next = Math.min(groupCount, first + (hasBatches ? BATCH : 1))
      const bodies = Array.from({ length: next - first }, (_, index) => bodyOf(first + index))
      if (hasBatches) await post('/v1/groups:batch', { create: bodies })
      else await post('/v1/group', bodies[0])
    }
  }
  await Promise.all(Array.from({ length: hasBatches ? 2 : CREATORS }, worker))
  await pool.close()
  return next
}
