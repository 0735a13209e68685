# Pretends to forward what /etc/proxy/routes says.
cat /etc/proxy/routes
while true; do sleep 60; done
