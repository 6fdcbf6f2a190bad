/** `cohort status` over HTTP, against the real API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import { showStatus, watchStatus } from '../../src/cli/status/status.ts'
import { testApp } from './test-app.ts'

function anOutput(terminal: Readonly<{ columns?: number; rows?: number }> = {}) {
  const { columns, rows } = terminal
  const printed: string[] = []
  const write = (text: string) => void printed.push(text)
  const output = { write, draw: write, answer: write, columns, rows, hasColours: false, isReaderGone: false }
  return { output, printed: () => printed.join(''), writes: printed }
}

test('the exit code is that of the verdict: 0 healthy, 4 degraded, 5 unavailable', async () => {
  for (const [verdict, expected] of [
    ['healthy', 0],
    ['degraded', 4],
    ['unavailable', 5],
  ] as const) {
    const { app } = testApp({ engine: { status: { describe: () => ({ ...CLUSTER_EXAMPLE, verdict }) } } })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const { output, printed } = anOutput()
    assert.equal(await showStatus({ url, isJson: false, output }), expected)
    assert.ok(printed().startsWith(verdict.toUpperCase()))
    const json = anOutput()
    assert.equal(await showStatus({ url, isJson: true, output: json.output }), expected)
    assert.equal((JSON.parse(json.printed()) as { verdict: string }).verdict, verdict)
    await app.close()
  }
})

for (const isJson of [false, true]) {
  test(`a watch goes on while the connector does not answer${isJson ? ', one line of JSON each time' : ''}`, async () => {
    const first = testApp().app
    const url = await first.listen({ port: 0, host: '127.0.0.1' })
    const { port } = new URL(url)
    const second = testApp().app
    const steps = [() => first.close(), () => second.listen({ port: Number(port), host: '127.0.0.1' })]
    const stop = new AbortController()
    const { output, printed } = anOutput()
    const exitCode = await watchStatus({
      url,
      isJson,
      output,
      signal: stop.signal,
      clockTime: () => 'now',
      pause: async () => {
        const step = steps.shift()
        if (step === undefined) stop.abort()
        else await step()
      },
    })
    await second.close()
    assert.equal(exitCode, 130)
    if (isJson) {
      const verdicts = printed()
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { verdict: unknown }).verdict)
      assert.deepEqual(verdicts, ['degraded', null, 'degraded'])
    } else {
      const words = [...printed().matchAll(/^(DEGRADED|NO ANSWER) /gm)].map(([, word]) => word)
      assert.deepEqual(words, ['DEGRADED', 'NO ANSWER', 'DEGRADED'])
    }
  })
}

test('a watch in a small window shows the verdict, and moves nothing out of sight', async () => {
  const { app } = testApp()
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const [columns, rows] of [
    [60, 24],
    [60, 8],
    [200, 50],
    [40, 4],
  ] as const) {
    const stop = new AbortController()
    const { output, writes } = anOutput({ columns, rows })
    await watchStatus({
      url,
      isJson: false,
      output,
      signal: stop.signal,
      clockTime: () => 'now',
      pause: async () => stop.abort(),
    })
    const [clear, screen = ''] = writes
    assert.equal(clear, '\u001b[2J')
    const lines = stripVTControlCharacters(screen).split('\n')
    assert.match(lines[0]!, /^DEGRADED {2}/)
    // The cursor ends below the last line.
    assert.ok(lines.length <= rows, `${lines.length} lines in ${rows} rows`)
    for (const line of lines) assert.ok(line.length < columns, line)
    assert.equal(lines.includes('…'), rows < 10)
  }
  await app.close()
})

test('a watch whose reader is gone ends with the code of the last verdict', async () => {
  const { app } = testApp()
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const { output } = anOutput()
  const exitCode = await watchStatus({
    url,
    isJson: true,
    output: { ...output, isReaderGone: true },
    signal: new AbortController().signal,
    clockTime: () => 'now',
    pause: async () => undefined,
  })
  assert.equal(exitCode, 4)
  await app.close()
})
