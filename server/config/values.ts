/** Kinds of values that settings have. */
import { z } from "zod";

export const wholeNumber = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
};
export const text = (max = 4096) => z.string("must be a text").min(1, "must not be empty").max(max, "is too long");
export const flag = z.boolean("must be true or false");
