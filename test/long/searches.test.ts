/**
 * Searches for a schedule that breaks a rule: in the simulator with new seeds, and in the models of the
 * protocol.
 */
import { test } from 'node:test'
import { assertInstalled } from '../installed.ts'
import { runProgram, runScript } from './run-program.ts'

const MINUTE_MS = 60_000

test('no rule breaks in ten minutes of new seeds in every world of the simulator', async (t) => {
  t.diagnostic(await runScript(15 * MINUTE_MS, 'src/sim/main.ts', '--minutes', '10'))
})

test('every search of the models of the protocol ends as it is expected to', async (t) => {
  assertInstalled('gcc')
  assertInstalled('make')
  t.diagnostic(await runProgram(25 * MINUTE_MS, 'spec/run.sh'))
})
