/** The documentation pages in a browser: their content security policy must not stand in their way. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { listen } from '../api/raw-http.ts'
import { testApp } from '../api/test-app.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { assertInstalled } from '../installed.ts'

/** On a machine that is busy with others. */
const PAGE_MS = 120_000

for (const page of ['/v1/docs', '/v1/redoc']) {
  test(`${page} shows the routes in Chromium, and the console stays empty`, async (context) => {
    assertInstalled('chromium')
    await using directory = await temporaryDirectory()
    const { host, port } = await listen(testApp().app, context)
    const { stdout, stderr } = await promisify(execFile)(
      'chromium',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${directory.path}`],
        ...['--enable-logging=stderr', '--virtual-time-budget=20000', '--dump-dom'],
        `http://${host}:${port}${page}`,
      ],
      { timeout: PAGE_MS, maxBuffer: 64 * 1_024 * 1_024 },
    )
    assert.match(stdout, /\/v1\/group/)
    assert.deepEqual(
      stderr.split('\n').filter((line) => line.includes(':CONSOLE:')),
      [],
    )
  })
}
