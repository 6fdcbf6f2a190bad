/** The status of a cluster, as a connector reports it. */
import assert from 'node:assert/strict'
import type { ClusterStatus, GroupReplicas } from '../../src/api/status-schemas.ts'
import { call, groupUrl } from './load.ts'
import type { Service } from './service.ts'
import { until } from './waiting.ts'

/** The longest time from an event to its verdict: a node hangs until its stream is given up. */
const VERDICT_MS = 30_000

/** The HTTP status of a GET; `undefined` if there is no answer. */
export async function statusOf(url: string): Promise<number | undefined> {
  const { status } = await call('GET', url)
  return status === 0 ? undefined : status
}

/** `GET /v1/cluster` of the connector at `url`. */
export async function clusterStatus(url: string): Promise<ClusterStatus> {
  const { status, body } = await call('GET', `${url}/v1/cluster`)
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as ClusterStatus
}

/** `GET /v1/group/{groupId}/replicas` of the connector at `url`. */
export async function replicasOf(url: string, groupId: string): Promise<GroupReplicas> {
  const { status, body } = await call('GET', `${groupUrl(url, groupId)}/replicas`)
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as GroupReplicas
}

/** Waits for a verdict, and returns the status that has it. */
export async function untilVerdict(
  url: string,
  verdict: ClusterStatus['verdict'],
  ms = VERDICT_MS,
): Promise<ClusterStatus> {
  return untilStatus(url, `the verdict is ${verdict}`, (status) => status.verdict === verdict, ms)
}

/** Waits until all of these connectors work in an epoch, and returns the status of the first. */
export async function untilEpoch(urls: readonly string[], epoch: number, ms: number): Promise<ClusterStatus> {
  const all = urls.map((url) => untilStatus(url, `epoch ${epoch}`, (status) => status.epoch === epoch, ms))
  return (await Promise.all(all))[0]!
}

/** Waits until the status is as wanted. A connector that does not answer is asked again. */
export async function untilStatus(
  url: string,
  claim: string,
  isWanted: (status: ClusterStatus) => boolean,
  ms = VERDICT_MS,
): Promise<ClusterStatus> {
  let last: ClusterStatus | undefined
  const isSo = async () => {
    last = await clusterStatus(url).catch(() => undefined)
    return last !== undefined && isWanted(last)
  }
  await until(claim, ms, isSo, () => `the last status: ${JSON.stringify(last)}`)
  return last!
}

/** The id of the member at the address of a node. */
export async function nodeIdAt(url: string, { address }: Service): Promise<string> {
  const { members } = await clusterStatus(url)
  const member = members.find((candidate) => candidate.address === address)
  return member?.nodeId ?? assert.fail(`no member at ${address}`)
}
