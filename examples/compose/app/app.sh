# Pretends to be a shop.
touch /tmp/ready
while true; do sleep 60; done
