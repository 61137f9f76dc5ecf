import { writes } from '../declared.ts';
import { advertiserIdOf } from '../params.ts';
import { given, invalid, missing } from '../rules.ts';
import { objectsOfTest, putTest, splitTests } from '../split-tests.ts';
import { type Call, type Endpoint, TikTokError } from '../types.ts';

/** split_test/promote. Facts: TikTok docs 1742666543736834; that the loser is paused is (unverified). */

function promote(call: Call): unknown {
  const { world, params } = call;
  const test = splitTests(world).get(String(params['split_test_group_id']));
  if (test?.advertiser_id !== advertiserIdOf(call)) {
    throw new TikTokError(40007, `The split test ${String(params['split_test_group_id'])} does not exist.`);
  }
  if (test.status === 'FINISHED') invalid(`split_test_group_id: The split test ${test.id} has ended.`);
  const winner = given(params, 'winning_object_id') ? String(params['winning_object_id']) : null;
  if (test.level === 'CAMPAIGN' && winner !== null) {
    invalid('winning_object_id: It must not be set for a split test of campaigns.');
  }
  if (test.level === 'ADGROUP') {
    if (winner === null) return missing('winning_object_id');
    if (!test.object_ids.includes(winner)) invalid(`winning_object_id: ${winner} is not part of the split test.`);
    const rows = objectsOfTest(world, test);
    const losers = test.object_ids.filter((id) => id !== winner).flatMap((id) => rows.get(id) ?? []);
    rows.putAll(losers.map((row) => ({ ...row, operation_status: 'DISABLE', modify_time: world.stamp(call.now) })));
  }
  putTest(world, { ...test, status: 'FINISHED', winning_object_id: winner });
  return {};
}

/** Split tests. */
export const endpoints: Endpoint[] = [writes('split_test/promote', promote)];
