/** What the metrics of this engine are read from. It is counted or known anyway. */

import type { ClusterSnapshot, MemberSnapshot } from '../../membership/cluster-snapshot.ts'
import type { HistogramSample, Metrics, Sample } from '../../metrics/metrics.ts'
import type { Counters } from '../../replication/counters.ts'
import type { Divergences } from '../../replication/divergence.ts'
import type { HealingReport } from '../../upkeep/healing/healing.ts'
import type { RemovalReport } from '../../upkeep/removal/removal-report.ts'
import type { RepairReport } from '../../upkeep/repair/repair-report.ts'
import type { StatusView } from '../engine.ts'
import type { SweepReport } from './group-members/sweep.ts'

export type EngineFigures = Readonly<{
  counters: Counters
  snapshot: () => ClusterSnapshot
  status: Pick<StatusView, 'describe'>
  divergences: Pick<Divergences, 'total' | 'open'>
  repair: Pick<RepairReport, 'outcomes'>
  removal: () => RemovalReport
  healing: () => HealingReport
  memberSweep: () => SweepReport
  changes: () => Readonly<{ readCount: number }>
}>

const VERDICTS = ['healthy', 'degraded', 'unavailable'] as const

/** Adds the metrics of this engine. Their names begin with `cohort_`. */
export function addEngineMetrics(metrics: Metrics, figures: EngineFigures): void {
  addRegisterMetrics(metrics, figures.counters)
  addNodeMetrics(metrics, figures.snapshot)
  addClusterMetrics(metrics, figures)
  const { outcomes } = figures.repair
  metrics.counter(
    { name: 'cohort_repaired_keys_total', help: 'Keys that background repair has made equal again.' },
    () => [{ value: outcomes.learned + outcomes.settled }],
  )
  addRemovalMetrics(metrics, figures.removal)
  addHealingMetrics(metrics, figures.healing)
  addMemberSweepMetrics(metrics, figures.memberSweep)
  metrics.counter(
    { name: 'cohort_changes_reads_total', help: 'Reads of keys that nodes have changed.' },
    () => [{ value: figures.changes().readCount }],
  )
}

function addMemberSweepMetrics(metrics: Metrics, report: EngineFigures['memberSweep']): void {
  metrics.counter(
    {
      name: 'cohort_group_member_leftovers_removed_total',
      help: 'Registers of group members, and of the index of the groups of members, that were left over and that this connector has removed.',
    },
    () => [{ value: report().sweptCount }],
  )
  metrics.gauge(
    {
      name: 'cohort_group_member_leftovers_waiting',
      help: 'Lives of groups that are over, and entries without a group member, that wait for a grace time to pass.',
    },
    () => [{ value: report().waitingCount }],
  )
}

function addHealingMetrics(metrics: Metrics, report: EngineFigures['healing']): void {
  metrics.counter(
    { name: 'cohort_healed_keys_total', help: 'Keys whose damaged records this connector has healed.' },
    () => [{ value: report().healedCount }],
  )
  metrics.gauge(
    { name: 'cohort_healing_waiting_keys', help: 'Keys with damaged records that wait to be healed.' },
    () => [{ value: report().waitingCount }],
  )
}

function addRemovalMetrics(metrics: Metrics, report: EngineFigures['removal']): void {
  metrics.counter(
    { name: 'cohort_removed_keys_total', help: 'Deleted keys whose remains every node has dropped.' },
    () => [{ value: report().removedCount }],
  )
  metrics.gauge(
    { name: 'cohort_removal_waiting_keys', help: 'Deleted keys that wait for a grace time to pass.' },
    () => [{ value: report().waitingCount }],
  )
  metrics.gauge(
    { name: 'cohort_removal_oldest_wait_seconds', help: 'How long the oldest waiting key has waited.' },
    () => {
      const { oldestWaitingMs } = report()
      return oldestWaitingMs === undefined ? [] : [{ value: oldestWaitingMs / 1_000 }]
    },
  )
}

function addRegisterMetrics(metrics: Metrics, counters: Counters): void {
  metrics.counter(
    {
      name: 'cohort_rounds_total',
      help: 'Rounds of the protocol that have begun, by kind.',
      labels: ['kind'],
    },
    () => samplesOf(counters.rounds, 'kind'),
  )
  metrics.counter(
    {
      name: 'cohort_rounds_refused_total',
      help: 'Rounds that at least one node refused because another proposer was faster, by kind.',
      labels: ['kind'],
    },
    () => samplesOf(counters.refusedRounds, 'kind'),
  )
  metrics.counter(
    {
      name: 'cohort_operations_total',
      help: 'Operations on keys that have ended, by outcome.',
      labels: ['outcome'],
    },
    () => samplesOf(counters.operations, 'outcome'),
  )
  metrics.counter(
    {
      name: 'cohort_key_faults_total',
      help: 'Operations on keys that cannot be read, or cannot be changed any more, by fault.',
      labels: ['fault'],
    },
    () => samplesOf(counters.keyFaults, 'fault'),
  )
  metrics.counter({ name: 'cohort_backoffs_total', help: 'Waits before a round was tried again.' }, () => [
    { value: counters.backoffs },
  ])
  metrics.histogram(
    { name: 'cohort_batch_requests', help: 'Requests in one batch to one node, without heartbeats.' },
    () => [{ counts: counters.batchSizes }],
  )
}

function addNodeMetrics(metrics: Metrics, snapshot: () => ClusterSnapshot): void {
  const labels = ['node', 'address']
  const ofMembers = <T>(pick: (member: MemberSnapshot) => T) => {
    const cluster = snapshot()
    return cluster.kind === 'searching' ? [] : cluster.members.map(pick)
  }
  metrics.histogram(
    {
      name: 'cohort_node_round_trip_seconds',
      help: 'Time from a batch to its answer, with the fsync of the node, since the link was made.',
      labels,
    },
    () =>
      ofMembers(
        (member): HistogramSample => ({ counts: member.link.roundTrips.histogram, labels: labelsOf(member) }),
      ),
  )
  metrics.gauge(
    { name: 'cohort_node_reachable', help: '1: this connector has a working stream to the node.', labels },
    () => ofMembers((member) => flag(member.link.isReachable, member)),
  )
  metrics.gauge(
    { name: 'cohort_node_suspect', help: '1: this connector does not wait for the node at present.', labels },
    () => ofMembers((member) => flag(member.link.isSuspect, member)),
  )
}

function addClusterMetrics(
  metrics: Metrics,
  { snapshot, status, divergences }: Pick<EngineFigures, 'snapshot' | 'status' | 'divergences'>,
): void {
  metrics.gauge(
    { name: 'cohort_epoch', help: 'The epoch of the membership. Missing until the cluster is found.' },
    () => {
      const cluster = snapshot()
      return cluster.kind === 'searching' ? [] : [{ value: cluster.epoch }]
    },
  )
  metrics.gauge(
    { name: 'cohort_verdict', help: '1 for the current verdict, 0 for the others.', labels: ['verdict'] },
    () => {
      const { verdict } = status.describe()
      return VERDICTS.map((name) => ({ value: name === verdict ? 1 : 0, labels: { verdict: name } }))
    },
  )
  metrics.gauge(
    {
      name: 'cohort_lag_keys',
      help: 'Keys of the node that differ from the chosen state. Missing while the number is not known.',
      labels: ['node', 'address'],
    },
    () =>
      status
        .describe()
        .members.flatMap(({ nodeId, address, lag }) =>
          nodeId === null || lag === null ? [] : [{ value: lag, labels: { node: nodeId, address } }],
        ),
  )
  metrics.counter(
    {
      name: 'cohort_divergence_total',
      help: 'Pairs of nodes that hold different states of a key as chosen at one ballot. This must never happen.',
    },
    () => [{ value: divergences.total }],
  )
  metrics.gauge({ name: 'cohort_divergences_open', help: 'Divergences that were not seen repaired.' }, () => [
    { value: divergences.open.length },
  ])
}

function samplesOf(counts: Readonly<Record<string, number>>, label: string): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ value, labels: { [label]: name } }))
}

function labelsOf({ nodeId, address }: MemberSnapshot) {
  return { node: nodeId, address }
}

function flag(is: boolean, member: MemberSnapshot): Sample {
  return { value: is ? 1 : 0, labels: labelsOf(member) }
}
