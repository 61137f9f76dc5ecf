/** The call log as its readers see it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok' });
});
afterAll(() => app.close());

it('shows a call to whoever asks right after it, in the list and by its id', async () => {
  const connection = (await app.connect()).get('id') as string;
  for (const page of [1, 2, 3]) {
    const call = await app.call('GET', `/ads/${connection}/campaign?limit=${page}`);
    const id = call.headers.get('x-request-id') as string;
    const listed = await app.call('GET', `/unified/apicall?request_id=${id}`);
    expect(listed.body).toMatchObject([{ status: '200', connection_id: connection }]);
    const [row] = listed.body as unknown as [{ id: string }];
    expect((await app.call('GET', `/unified/apicall/${row.id}`)).body).toMatchObject({ id: row.id });
  }
});
