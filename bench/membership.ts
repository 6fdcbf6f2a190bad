/**
 * How long changes of the membership take, with this many groups: one member is added, which copies
 * everything, and removed again.
 *
 *     npm run bench:membership -- --amount 100000
 */
import { parseArgs } from 'node:util'
import { CreateLoad, call } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { until } from '../test/cluster/waiting.ts'

const { values } = parseArgs({ options: { amount: { type: 'string', default: '100000' } } })
const amount = Number(values.amount)

const LONG_MS = 3_600_000

await using cluster = await LocalCluster.start({ spares: 1 })
const { url } = cluster.connectors[0]!
const spare = cluster.nodes[3]!

{
  await using load = new CreateLoad(url, 'before', 64, 0)
  await until('the groups are there', LONG_MS, () => load.created.length >= amount)
}
console.log(`${amount.toLocaleString('en-US')} groups on three nodes`)
await timed('one more member, without clients', () => change('POST', '', { address: spare.address }))
await timed('the same one less', async () => change('DELETE', `/${await nodeIdOf(spare.address)}`))

async function nodeIdOf(address: string): Promise<string> {
  const { body } = await call('GET', `${url}/v1/cluster`)
  const members = body.members as { nodeId: string; address: string }[]
  return members.find((member) => member.address === address)!.nodeId
}

async function change(method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
  const { status, body: answer } = await call(method, `${url}/v1/cluster/members${path}`, body)
  if (status !== 202) throw new Error(JSON.stringify(answer))
  await until('it is done', LONG_MS, async () => {
    const { epoch } = (await call('GET', `${url}/v1/cluster`)).body
    return Number(epoch) > Number(answer.epoch)
  })
}

async function timed(name: string, task: () => Promise<void>): Promise<void> {
  const startMs = performance.now()
  await task()
  console.log(`${name}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s`)
}
