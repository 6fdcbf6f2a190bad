import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { barChart, latencyChart } from '../../bench/peers/charts.ts'
import { outageOf } from '../../bench/peers/http-load.ts'
import { inWindow, latenciesDueAfter, transactionsOf, WARM_SECONDS } from '../../bench/peers/postgres-peer.ts'
import { type Results, report } from '../../bench/peers/results.ts'
import {
  arrivals,
  histogramOf,
  longestGapMs,
  median,
  percentile,
  ratioOf,
  SHARES,
} from '../../bench/statistics.ts'

const latencies = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 300 })

test('a median has as many numbers above it as below it, in whatever order they come', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.ok(Number.isNaN(median([])))
  fc.assert(
    fc.property(latencies, (numbers) => {
      const middle = median(numbers)
      const below = numbers.filter((value) => value < middle).length
      const above = numbers.filter((value) => value > middle).length
      assert.ok(below <= numbers.length / 2 && above <= numbers.length / 2)
    }),
  )
})

test('a ratio is that of each round: what slows down both sides of a round changes nothing', () => {
  assert.deepEqual(ratioOf([20, 2, 30], [10, 1, 10]), { median: 2, lowest: 2, highest: 3 })
  // Medians of the sides (20 and 1) would have said 20.
  assert.equal(ratioOf([20, 40, 1], [1, 40, 1])?.median, 1)
  assert.equal(ratioOf([1, 2], [0, Number.NaN]), undefined)
  assert.equal(ratioOf([], []), undefined)
})

test('a percentile is a latency that occurred, and at least that share is not above it', () => {
  assert.equal(percentile([1, 2, 3, 4], 0.5), 2)
  assert.equal(percentile([1, 2, 3, 4], 0.51), 3)
  assert.equal(percentile([7], 0.999), 7)
  fc.assert(
    fc.property(latencies, fc.constantFrom(...SHARES), (numbers, share) => {
      const sorted = numbers.toSorted((a, b) => a - b)
      const found = percentile(sorted, share)
      assert.ok(sorted.includes(found))
      assert.ok(sorted.filter((value) => value <= found).length >= share * sorted.length)
      assert.ok(sorted.filter((value) => value < found).length < share * sorted.length)
    }),
  )
})

test('a histogram leaves out the shares that too few requests can tell', () => {
  const shares = (count: number) =>
    histogramOf(Array.from({ length: count }, (_, index) => index)).points.map(({ share }) => share)
  assert.deepEqual(shares(1), [])
  assert.deepEqual(shares(100), [0.5, 0.75, 0.9, 0.95, 0.99])
  assert.equal(shares(1_000).at(-1), 0.999)
  assert.equal(shares(10_000).at(-1), 0.9999)
})

test('a gap is counted from the event to the first success, between successes, and to the end of the watch', () => {
  assert.equal(longestGapMs([90, 110, 120, 190], 100, 200), 70)
  assert.equal(longestGapMs([90, 150, 190], 100, 200), 50)
  assert.equal(longestGapMs([101, 102], 100, 200), 98)
  assert.equal(longestGapMs([], 100, 200), 100)
})

test('a side that does not recover has an outage without an end', () => {
  assert.deepEqual(outageOf([90, 101, 102], 100, 200, 5), {
    gapMs: 98,
    failed: 5,
    succeeded: 2,
    isOver: false,
  })
  assert.deepEqual(outageOf([90], 100, 200, 5), { gapMs: 100, failed: 5, succeeded: 0, isOver: false })
  assert.deepEqual(outageOf([101, 160, 199, 300], 100, 200, 0), {
    gapMs: 59,
    failed: 0,
    succeeded: 3,
    isOver: true,
  })
})

test('arrivals are as many as asked for, in order, within the time, and not evenly spaced', () => {
  let seed = 1
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const due = [...arrivals(1_000, 20, random)]
  assert.ok(Math.abs(due.length - 20_000) < 600, `${due.length}`)
  assert.ok(due.every((time, index) => time > 0 && time < 20_000 && (index === 0 || time >= due[index - 1]!)))
  const gaps = due.slice(1).map((time, index) => time - due[index]!)
  // Of a Poisson process, 1 - 1/e of the gaps are shorter than the mean.
  const shorter = gaps.filter((gap) => gap < 1).length / gaps.length
  assert.ok(Math.abs(shorter - 0.632) < 0.02, `${shorter}`)
})

test('a log of pgbench is read, a failed transaction and a line that was cut off left out', () => {
  const log =
    '0 199 2241 0 1175850568 995598\n1 4 failed 0 1175850569 998079\n3 5 1817 0 1175850570 608\n4 6 18'
  assert.deepEqual(transactionsOf(log), [
    { endMs: 1175850568995.598, latencyMs: 2.241 },
    { endMs: 1175850570000.608, latencyMs: 1.817 },
  ])
})

test('of a run of pgbench the seconds after its start count, if there were so many', () => {
  const transactions = [20, 10, 999, 1_010, 1_500, 2_500].map((endMs) => ({ endMs, latencyMs: 10 }))
  const endsIn = (seconds: number) => inWindow(transactions, seconds)?.map(({ endMs }) => endMs)
  assert.equal(WARM_SECONDS, 1)
  assert.deepEqual(endsIn(1), [1_010, 1_500])
  assert.deepEqual(endsIn(1.5), [1_010, 1_500, 2_500])
  assert.equal(endsIn(2), undefined)
  assert.equal(inWindow([], 1), undefined)
  // All that ended in time had begun before the window and was slow: nothing was measured.
  assert.equal(inWindow([{ endMs: 5_000, latencyMs: 5_000 }], 1), undefined)
})

test('of an open loop the requests count that were due after its first seconds, however late they were answered', () => {
  const transactions = [
    { endMs: 1_010, latencyMs: 10 },
    // Due 1.5 s after the first one, and answered 3 s later.
    { endMs: 5_500, latencyMs: 3_000 },
    { endMs: 3_200, latencyMs: 150 },
  ]
  assert.deepEqual(latenciesDueAfter(transactions, 2), [150])
  assert.deepEqual(latenciesDueAfter(transactions, 1), [3_000, 150])
})

const turn = (perSecond: number) => ({ perSecond, p50Ms: 1, p99Ms: perSecond / 100 })
const RESULTS: Results = {
  machine: 'a machine',
  startedAt: '2026-11-29T00:00:00.000Z',
  settings: { seconds: 1, rounds: 2, seeds: 3 },
  peers: [
    { name: 'Cohort', description: 'three nodes' },
    { name: 'etcd', description: 'three members' },
  ],
  rows: [
    { what: 'create', clients: 64, turns: { Cohort: [turn(200), turn(330)], etcd: [turn(100), turn(110)] } },
  ],
  openLoops: [{ what: 'create', peer: 'etcd', perSecond: 50, histogram: histogramOf([1, 2, 3, 4]) }],
  outages: [{ peer: 'etcd', event: 'kill', outages: [outageOf([90], 100, 1_200, 7)] }],
}

test('the report has the medians, the ratios with their spread, and what was not seen to end', () => {
  const text = report(RESULTS)
  assert.match(
    text,
    /\| create \| 64 \| 265 \| 105 \| .*\| 2\.50 \(2\.00 to 3\.00\) \| 2\.50 \(2\.00 to 3\.00\) \|/,
  )
  assert.match(text, /\| create \| etcd \| 50 \| 4 \| p50 2, p75 3 \|/)
  assert.match(text, /\| etcd \| killed \(SIGKILL\) \| more than 1,100 \| 7 of 7 \|/)
})

test('charts are SVG whose bars and curves have the sizes of their figures', () => {
  const bars = barChart({
    title: 'a < b & c',
    unit: 'per second',
    sides: ['Cohort', 'etcd'],
    groups: [
      { label: 'create', values: [200, 100] },
      { label: 'read', values: [50, Number.NaN] },
    ],
  })
  assert.match(bars, /<title>a &lt; b &amp; c<\/title>/)
  const widths = [...bars.matchAll(/<rect x="250" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  )
  assert.deepEqual(widths, [430, 215, 107.5, 0])
  assert.match(bars, />not measured</)
  const histogram = histogramOf(Array.from({ length: 10_000 }, (_, index) => 1.001 ** index))
  const curves = latencyChart({ title: 'latency', curves: [{ side: 'Cohort', histogram }] })
  const [, line] = /<polyline points="([^"]+)"/.exec(curves) ?? []
  const ys = line!.split(' ').map((point) => Number(point.split(',')[1]))
  assert.equal(ys.length, SHARES.length)
  assert.ok(ys.at(-1)! < ys[0]! - 100)
  assert.ok(
    ys.every((y, index) => index === 0 || y <= ys[index - 1]!),
    'a higher share is a longer latency',
  )
})
