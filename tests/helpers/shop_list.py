"""Rows of a CSV list of four pictures, two to train on and two to test."""

HEAD = "path,pid,camid,split\n"
TRAIN = "a.jpg,8,0,train\nb.jpg,9,0,train\n"
TEST = "q.jpg,3,0,query\ng.jpg,3,1,gallery\n"
