/** How things of these sizes are dealt out to nodes of at most `limit` bytes: where each node but the first begins. */
export function partition(sizes: readonly number[], limit: number, fewest: number): readonly number[] {
  let total = 0;
  for (const size of sizes) total += size;
  if (total <= limit) return [];
  // Not filled to the brim: the next rows would split every node again.
  const target = total / Math.ceil(total / (limit * fill));
  const cuts: number[] = [];
  let from = 0;
  let taken = 0;
  sizes.forEach((size, i) => {
    const isAllowed = i > from && i - from >= fewest && sizes.length - i >= fewest;
    if (isAllowed && (taken + size / 2 > target || taken + size > limit)) {
      cuts.push(i);
      from = i;
      taken = 0;
    }
    taken += size;
  });
  return cuts;
}

const fill = 0.8;
